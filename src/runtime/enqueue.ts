import { PunctualError } from "../core/errors.js";
import type { PublishOutcome, WorkMessage, WorkStream } from "../core/ports.js";
import type { NewJob, TimerStore } from "../core/timer.js";

const TRIES = 5;

export interface AcceptPorts {
  work: Pick<WorkStream, "ready" | "publish">;
  timers: Pick<TimerStore, "put" | "ready">;
}

/** What became of a job; see `Enqueued`. */
export interface Accepted {
  runId: string;
  accepted: boolean;
  state?: "queued" | "waiting";
  timer?: string;
}

/** The same, of one that was not let in. `isRepeat`: it was before, as the server knows its message id. */
export type LetIn = Accepted & { isRepeat?: boolean };

/**
 * Stores a job where it belongs: on its queue, or among those that wait for their time.
 *
 * @throws what `enqueue` throws
 */
export async function accept(
  { work, timers }: AcceptPorts,
  { runId, work: message, waiting, isAtGate = false }: NewJob,
): Promise<LetIn> {
  const kept = await (waiting === undefined ? store(work, message) : store(asWork(timers), waiting.message));
  const timer = waiting && { timer: waiting.timer };
  const isRepeat = kept === "duplicate" && { isRepeat: true };
  if (kept !== "stored") return { runId, accepted: false, ...timer, ...isRepeat };
  return {
    runId,
    accepted: true,
    state: waiting === undefined && !isAtGate ? "queued" : "waiting",
    ...timer,
  };
}

/** Stores a job that waits for its time; otherwise as `enqueue`. */
export function putTimer(timers: AcceptPorts["timers"], message: WorkMessage): Promise<boolean> {
  return enqueue(asWork(timers), message);
}

type Publishing = Pick<WorkStream, "ready" | "publish">;

const asWork = (timers: AcceptPorts["timers"]): Publishing => ({
  ready: () => timers.ready(),
  publish: (timer) => timers.put(timer),
});

/**
 * Publishes a job that no schedule fired. An unanswered publish is repeated under the same message id, so that
 * the server refuses the second as a duplicate if the first was stored.
 *
 * @returns whether this call or an earlier one with the same message id stored it; false when its subject is
 *   taken by a job that is queued or running
 */
export async function enqueue(work: Publishing, message: WorkMessage): Promise<boolean> {
  return (await store(work, message)) === "stored";
}

async function store(work: Publishing, message: WorkMessage): Promise<"stored" | "duplicate" | "taken"> {
  let outcome: PublishOutcome | undefined;
  let tries = 0;
  while (tries++ < TRIES) {
    const room = work.ready();
    if (room !== undefined) await room;
    outcome = await work.publish(message);
    if (outcome.kind !== "unknown") break;
  }
  switch (outcome?.kind) {
    case "stored":
    case "taken":
      return outcome.kind;
    case "duplicate":
      return tries > 1 ? "stored" : "duplicate"; // of our own unanswered try
    case "full":
      throw new PunctualError(
        "full",
        `${message.subject}: the queue is full (${outcome.reason}); try again later`,
      );
    case "refused":
      throw new PunctualError("denied", `${message.subject}: the server refused the job (${outcome.reason})`);
    default:
      throw new PunctualError(
        "timeout",
        `${message.subject}: no answer from the server after ${TRIES} tries`,
        {
          cause: outcome?.error,
        },
      );
  }
}
