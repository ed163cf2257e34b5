/** Settings of queues, asked for once in a while: they may change, and a job must not wait for them each time. */
import type { Clock } from "../core/ports.js";
import type { QueueSettings, QueueStore } from "../core/queue.js";

/** After a change it takes this long at most until every job is enqueued by it. */
const KNOWN_FOR_MS = 2_000;

export class QueueMemory {
  readonly #queues: Pick<QueueStore, "ensure">;
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #known = new Map<string, { settings: Promise<QueueSettings>; since: number }>();

  constructor(queues: Pick<QueueStore, "ensure">, clock: Pick<Clock, "monotonic">) {
    this.#queues = queues;
    this.#clock = clock;
  }

  /** Makes the queue if it is not there. A failed attempt is not remembered. */
  settings(queue: string): Promise<QueueSettings> {
    const now = this.#clock.monotonic();
    const known = this.#known.get(queue);
    if (known !== undefined && now - known.since < KNOWN_FOR_MS) return known.settings;
    const settings = this.#queues.ensure(queue);
    this.#known.set(queue, { settings, since: now });
    settings.catch(() => {
      if (this.#known.get(queue)?.settings === settings) this.#known.delete(queue);
    });
    return settings;
  }
}
