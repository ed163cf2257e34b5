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
export function accept(ports: AcceptPorts, job: NewJob): Promise<Accepted> {
  return keep(ports, job).then((kept) => acceptedOf(job, kept));
}

/** The same, for those to whom a repeat is not like any other that was not let in. */
export async function letIn(ports: AcceptPorts, job: NewJob): Promise<LetIn> {
  const kept = await keep(ports, job);
  const accepted = acceptedOf(job, kept);
  return kept === "duplicate" ? { ...accepted, isRepeat: true } : accepted;
}

function keep({ work, timers }: AcceptPorts, { work: message, waiting }: NewJob): Promise<Kept> {
  return waiting === undefined ? store(work, message) : store(asWork(timers), waiting.message);
}

function acceptedOf({ runId, waiting, isAtGate = false }: NewJob, kept: Kept): Accepted {
  const accepted = kept === "stored";
  const timer = waiting && { timer: waiting.timer };
  if (!accepted) return { runId, accepted, ...timer };
  return { runId, accepted, state: timer === undefined && !isAtGate ? "queued" : "waiting", ...timer };
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

type Kept = "stored" | "duplicate" | "taken";

/** Not async: what a job holds while it waits for the server is what a hundred thousand a second cost the most for. */
function store(work: Publishing, message: WorkMessage, tries = 1): Promise<Kept> {
  const room = work.ready();
  const sent = room === undefined ? work.publish(message) : room.then(() => work.publish(message));
  return sent.then((outcome) =>
    outcome.kind === "unknown" && tries < TRIES
      ? store(work, message, tries + 1)
      : keptOf(outcome, message, tries),
  );
}

function keptOf(outcome: PublishOutcome, { subject }: WorkMessage, tries: number): Kept {
  switch (outcome.kind) {
    case "stored":
    case "taken":
      return outcome.kind;
    case "duplicate":
      return tries > 1 ? "stored" : "duplicate"; // of our own unanswered try
    case "full":
      throw new PunctualError("full", `${subject}: the queue is full (${outcome.reason}); try again later`);
    case "refused":
      throw new PunctualError("denied", `${subject}: the server refused the job (${outcome.reason})`);
    case "unknown":
      throw new PunctualError("timeout", `${subject}: no answer from the server after ${TRIES} tries`, {
        cause: outcome.error,
      });
  }
}
