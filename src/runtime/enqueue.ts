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

/**
 * Stores a job where it belongs: on its queue, or among those that wait for their time.
 *
 * @throws what `enqueue` throws
 */
export async function accept(
  { work, timers }: AcceptPorts,
  { runId, work: message, waiting, isAtGate = false }: NewJob,
): Promise<Accepted> {
  if (waiting === undefined) {
    if (!(await enqueue(work, message))) return { runId, accepted: false };
    return { runId, accepted: true, state: isAtGate ? "waiting" : "queued" };
  }
  const { timer } = waiting;
  const accepted = await putTimer(timers, waiting.message);
  return { runId, accepted, ...(accepted && { state: "waiting" }), timer };
}

/** Stores a job that waits for its time; otherwise as `enqueue`. */
export function putTimer(timers: AcceptPorts["timers"], message: WorkMessage): Promise<boolean> {
  return enqueue({ ready: () => timers.ready(), publish: (timer) => timers.put(timer) }, message);
}

/**
 * Publishes a job that no schedule fired. An unanswered publish is repeated under the same message id, so that
 * the server refuses the second as a duplicate if the first was stored.
 *
 * @returns whether this call or an earlier one with the same message id stored it; false when its subject is
 *   taken by a job that is queued or running
 */
export async function enqueue(
  work: Pick<WorkStream, "ready" | "publish">,
  message: WorkMessage,
): Promise<boolean> {
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
      return true;
    case "duplicate":
      return tries > 1; // of our own unanswered try
    case "taken":
      return false;
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
