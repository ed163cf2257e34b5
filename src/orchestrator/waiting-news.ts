/**
 * Tells RUNS of jobs that wait at a gate for more than a moment: until they pass, nothing else there tells of them.
 * For people: what cannot be stored is not told again.
 */
import { messageOf } from "../core/errors.js";
import type { Waiting } from "../core/gate-store.js";
import type { Clock, RunLog } from "../core/ports.js";
import type { Logger } from "../runtime/log.js";

export interface WaitingNewsPorts {
  clock: Clock;
  runs: RunLog;
  log: Logger;
}

const AFTER_MS = 1_000;
const AT_ONCE = 256;
/** More than that are passed over. */
const MOST_UNTOLD = 10_000;

export class WaitingNews {
  readonly #ports: WaitingNewsPorts;
  readonly #queue: string;
  readonly #isTold: () => boolean;
  /** Jobs that have not passed, by their sequence, and since when we know of them. */
  readonly #untold = new Map<number, { one: Waiting; since: number }>();

  /** @param isTold whether the history of the queue is to have it */
  constructor(ports: WaitingNewsPorts, queue: string, isTold: () => boolean) {
    this.#ports = ports;
    this.#queue = queue;
    this.#isTold = isTold;
  }

  came(one: Waiting): void {
    if (this.#untold.size < MOST_UNTOLD)
      this.#untold.set(one.seq, { one, since: this.#ports.clock.monotonic() });
  }

  passed({ seq }: Waiting): void {
    this.#untold.delete(seq);
  }

  async tell(): Promise<void> {
    const latest = this.#ports.clock.monotonic() - AFTER_MS;
    const due: Waiting[] = [];
    for (const [seq, { one, since }] of this.#untold) {
      if (since > latest || due.length >= AT_ONCE) break;
      due.push(one);
      this.#untold.delete(seq);
    }
    if (this.#isTold()) await Promise.all(due.map((one) => this.#tellOf(one)));
  }

  async #tellOf({ runId, seq, key, storedAt }: Waiting): Promise<void> {
    const { runs, log } = this.#ports;
    const since = new Date(storedAt).toISOString();
    const data = { reason: "limits", queue: this.#queue, seq, ...(key !== null && { key }), since };
    try {
      await runs.append({ runId, type: "waiting", msgId: `${runId}/waiting/${seq}`, data });
    } catch (error) {
      log.debug({ runId, error: messageOf(error) }, "that a job waits could not be told");
    }
  }
}
