/**
 * Records whose job never came: their producer ended between the two.
 *
 * Whether a job is still to come cannot be read from RUNS, which forgets. It is nowhere if the oldest job of its queue is
 * younger than the oldest word in RUNS, which would tell of it, and if it does not wait for its time.
 */
import type { Followed } from "../core/chain.js";
import { shardOf } from "../core/hash.js";
import type { Clock } from "../core/ports.js";
import type { QueueConsumers } from "../core/queue.js";
import type { RunsReader } from "../core/runs-reader.js";
import type { TimerStore } from "../core/timer.js";

export interface AbandonedPorts {
  clock: Clock;
  reader: RunsReader;
  queueConsumers: QueueConsumers;
  timers: TimerStore;
  shards: number;
}

/** Reading all that waits in a shard is for many records at once. */
const KNOWN_FOR_MS = 60_000;

export class AbandonedChains {
  readonly #ports: AbandonedPorts;
  readonly #waiting = new Map<number, { at: number; runIds: Promise<ReadonlySet<string>> }>();

  constructor(ports: AbandonedPorts) {
    this.#ports = ports;
  }

  /** @param record nothing is told of its run */
  async has({ runId, queue }: Pick<Followed, "runId" | "queue">): Promise<boolean> {
    if (queue === "" || !(await this.#wouldBeTold(queue))) return false;
    const { shards } = this.#ports;
    return !(await this.#waitingIn(shardOf(runId, shards))).has(runId);
  }

  /** Whether RUNS goes back farther than the queue. */
  async #wouldBeTold(queue: string): Promise<boolean> {
    const { queueConsumers, reader } = this.#ports;
    const oldest = await queueConsumers.oldestJob(queue);
    if (oldest === null) return true;
    const { first } = await reader.bounds();
    let toldSince = Number.POSITIVE_INFINITY;
    await reader.read({ from: first, to: first }, ({ at }) => {
      toldSince = at;
    });
    return oldest > toldSince;
  }

  #waitingIn(shard: number): Promise<ReadonlySet<string>> {
    const now = this.#ports.clock.monotonic();
    const known = this.#waiting.get(shard);
    if (known !== undefined && now - known.at < KNOWN_FOR_MS) return known.runIds;
    const runIds = this.#readWaiting(shard);
    this.#waiting.set(shard, { at: now, runIds });
    runIds.catch(() => this.#waiting.delete(shard));
    return runIds;
  }

  async #readWaiting(shard: number): Promise<ReadonlySet<string>> {
    const { timers } = this.#ports;
    const runIds = new Set<string>();
    for (const minute of await timers.minutes(shard))
      for (const { runId } of await timers.of(shard, minute)) runIds.add(runId);
    return runIds;
  }
}
