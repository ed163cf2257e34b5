/** The spans of one term's fires, from when they are due to when the server has answered. */
import type { Firing } from "../core/lease.js";
import type { WorkMessage } from "../core/ports.js";
import type { Schedule } from "../core/schedule.js";
import type { Sending, Tracing } from "../core/tracing.js";
import { runIdOf } from "../protocol/names.js";

export class FireSpans {
  readonly #tracing: Tracing;
  readonly #open = new Map<Firing, Sending>();

  constructor(tracing: Tracing) {
    this.#tracing = tracing;
  }

  /** The message with its context, the same when it is tried again. */
  traced(firing: Firing, { id, job }: Schedule, due: number, message: WorkMessage): WorkMessage {
    const known = this.#open.get(firing);
    const traced = { queue: job.queue, runId: runIdOf(id, firing.slot), scheduleId: id };
    const sending = known ?? this.#tracing.fire(traced, message.headers, due);
    if (sending === null) return message;
    this.#open.set(firing, sending);
    return { ...message, headers: sending.headers };
  }

  end(firing: Firing, error?: Error): void {
    if (this.#open.size === 0) return;
    this.#open.get(firing)?.end(error);
    this.#open.delete(firing);
  }
}
