/**
 * What those who let jobs in know of queues: their settings, and how full they are.
 *
 * Asked of the server once a second for a queue that is in use, so both may be about a second old; what was let in here
 * since is counted on top. Several that let jobs in do not know of each other within that second: a limit of depth may
 * be passed by what they let in meanwhile.
 */
import { isGoverned } from "../core/gate.js";
import type { GateStore } from "../core/gate-store.js";
import type { Clock } from "../core/ports.js";
import type { QueueConsumers, QueueSettings, QueueStore } from "../core/queue.js";

export interface QueueDoorPorts {
  queues: Pick<QueueStore, "ensure">;
  queueConsumers: Pick<QueueConsumers, "counts">;
  gates: Pick<GateStore, "count">;
  clock: Pick<Clock, "monotonic">;
}

interface Known {
  settings: QueueSettings;
  /** In the queue when it was asked; undefined: there is no limit. */
  depth: number | undefined;
  askedAt: number;
  /** So long it is used. */
  freshMs: number;
}

const FRESH_MS = 1_000;
/** What takes the server long to count is asked for so much less often. */
const FRESH_PER_MS = 20;

export class QueueDoor {
  readonly #ports: QueueDoorPorts;
  readonly #known = new Map<string, Known>();
  readonly #asking = new Map<string, Promise<Known>>();
  /** Let in since the server was asked. */
  readonly #letIn = new Map<string, number>();

  constructor(ports: QueueDoorPorts) {
    this.#ports = ports;
  }

  /** Makes the queue if there is none. What is known is answered at once: there may be a hundred thousand jobs a second. */
  settings(queue: string): QueueSettings | Promise<QueueSettings> {
    const known = this.#known.get(queue);
    const isFresh = known !== undefined && this.#ports.clock.monotonic() - known.askedAt < known.freshMs;
    return isFresh ? known.settings : this.#ask(queue).then(({ settings }) => settings);
  }

  /** Counts one more job in; or says why there is no room for it. After `settings`. */
  refusal(queue: string): string | null {
    const { settings, depth = 0 } = this.#known.get(queue) ?? {};
    const most = settings?.maxDepth;
    if (most === undefined) return null;
    const letIn = this.#letIn.get(queue) ?? 0;
    if (depth + letIn >= most) return `queue ${queue} is full: it holds ${most} jobs, its maxDepth`;
    this.#letIn.set(queue, letIn + 1);
    return null;
  }

  /** One request for all who ask at the same time. */
  #ask(queue: string): Promise<Known> {
    const asking = this.#asking.get(queue) ?? this.#read(queue).finally(() => this.#asking.delete(queue));
    this.#asking.set(queue, asking);
    return asking;
  }

  async #read(queue: string): Promise<Known> {
    const { queues, clock } = this.#ports;
    const askedAt = clock.monotonic();
    // What is let in from here on may not be in the answer.
    const before = this.#letIn.get(queue) ?? 0;
    const settings = await queues.ensure(queue);
    const depth = settings.maxDepth === undefined ? undefined : await this.#depth(queue, settings);
    const freshMs = Math.max(FRESH_MS, FRESH_PER_MS * (clock.monotonic() - askedAt));
    const known = { settings, depth, askedAt, freshMs };
    this.#known.set(queue, known);
    this.#letIn.set(queue, (this.#letIn.get(queue) ?? 0) - before);
    return known;
  }

  async #depth(queue: string, settings: QueueSettings): Promise<number> {
    const { queueConsumers, gates } = this.#ports;
    const [lanes, waiting] = await Promise.all([
      queueConsumers.counts(queue),
      isGoverned(settings) ? gates.count(queue) : 0,
    ]);
    return lanes.reduce((sum, { queued, running }) => sum + queued + running, waiting);
  }
}
