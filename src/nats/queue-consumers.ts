/** The durable consumers of a queue, one for each lane: what of a queue's settings the server itself keeps. */
import { AckPolicy, type ConsumerInfo, DeliverPolicy, type JetStreamManager } from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport-node";
import { PunctualError } from "../core/errors.js";
import type { QueueSettings } from "../core/queue.js";
import { type Lane, lanes, type Names } from "../protocol/names.js";
import { isMissing } from "./refusal.js";

export class LaneConsumers {
  readonly #jsm: JetStreamManager;
  readonly #names: Names;
  /** Of the lanes beside `work`: there once, there for as long as that of `work` is. */
  readonly #seen = new Set<string>();

  constructor(jsm: JetStreamManager, names: Names) {
    this.#jsm = jsm;
    this.#names = names;
  }

  /** The lanes that have their consumer. */
  async has(queue: string): Promise<Set<Lane>> {
    const isThere = async (lane: Lane) => {
      const name = this.#names.consumer(queue, lane);
      if (lane !== "work" && this.#seen.has(name)) return true;
      const isFound = (await this.read(queue, lane)) !== null;
      if (isFound) this.#seen.add(name);
      return isFound;
    };
    const found = await Promise.all(lanes.map(async (lane) => ((await isThere(lane)) ? [lane] : [])));
    const there = new Set(found.flat());
    if (!there.has("work")) for (const lane of lanes) this.#seen.delete(this.#names.consumer(queue, lane));
    return there.has("work") ? there : new Set();
  }

  async make(queue: string, lane: Lane, settings: QueueSettings): Promise<void> {
    await this.#jsm.consumers.add(this.#names.work, {
      durable_name: this.#names.consumer(queue, lane),
      filter_subject: this.#names.queueSubjects(queue, lane),
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
      ...configOf(settings),
    });
  }

  async read(queue: string, lane: Lane): Promise<ConsumerInfo | null> {
    try {
      return await this.#jsm.consumers.info(this.#names.work, this.#names.consumer(queue, lane));
    } catch (error) {
      if (isMissing(error)) return null;
      throw new PunctualError("unavailable", `queue ${queue}: cannot be read`, { cause: error });
    }
  }
}

/**
 * What the server keeps of the settings.
 *
 * JetStream's backoff takes the place of the ack wait: a job that is allowed to be silent for 10 s would be given to
 * another worker after a backoff of 1 s, while it runs. So each wait begins where the ack wait ends.
 */
export function configOf(settings: QueueSettings) {
  const { ackWaitMs, maxAttempts, backoffMs, concurrency, history, perKey } = settings;
  const backoff = backoffMs.map((ms) => nanos(ackWaitMs + ms));
  return {
    // Each acknowledgement is told of: from that the ends of jobs are known, of workers without events too, and by the
    // gate when a key has room again.
    sample_freq: history === "off" && perKey === undefined ? "0" : "100",
    ack_wait: backoff[0] ?? nanos(ackWaitMs),
    max_deliver: maxAttempts,
    max_ack_pending: concurrency,
    ...(backoff.length > 0 && { backoff }),
  };
}
