/** The durable consumers of a queue, one for each lane: what of a queue's settings the server itself keeps. */
import { AckPolicy, type ConsumerInfo, DeliverPolicy, type JetStreamManager } from "@nats-io/jetstream";
import { type NatsConnection, nanos } from "@nats-io/transport-node";
import { PunctualError } from "../core/errors.js";
import type { Instant } from "../core/instant.js";
import { type Lane, lanes } from "../core/lane.js";
import {
  areAcksTold,
  isQueuePausedAt,
  type LaneCounts,
  type QueueConsumers,
  type QueueSettings,
} from "../core/queue.js";
import { limits } from "../protocol/limits.js";
import type { Names } from "../protocol/names.js";
import { parseConsumer } from "../protocol/subjects.js";
import type { ConsumerInfos } from "./consumer-infos.js";
import { consumerNames } from "./consumer-names.js";
import { isMissing } from "./refusal.js";
import { isOlder, serverFacts } from "./server-check.js";

/** Older servers cannot pause a consumer. */
const PAUSE_SINCE = "2.11.0";
/** Of a pause that nobody has given an end. */
const FAR = Date.UTC(2999, 0, 1);

export class NatsQueueConsumers implements QueueConsumers {
  readonly #connection: NatsConnection;
  readonly #jsm: JetStreamManager;
  readonly #infos: ConsumerInfos;
  readonly #names: Names;

  /** @param infos of WORK */
  constructor(connection: NatsConnection, jsm: JetStreamManager, infos: ConsumerInfos, names: Names) {
    this.#connection = connection;
    this.#jsm = jsm;
    this.#infos = infos;
    this.#names = names;
  }

  /** Makes what is missing, and leaves what is there. */
  async ensure(queue: string, settings: QueueSettings): Promise<void> {
    const there = await this.#has(queue);
    for (const lane of lanes) if (!there.has(lane)) await this.#make(queue, lane, settings);
  }

  async apply(queue: string, settings: QueueSettings, now: Instant): Promise<boolean> {
    let isDone = true;
    for (const lane of lanes) {
      const info = await this.#read(queue, lane);
      if (info === null) continue;
      const wanted = configOf(settings);
      const config = { ...wanted, max_deliver: attemptsFor(wanted.max_deliver, info) };
      if (config.max_deliver !== wanted.max_deliver) isDone = false;
      if (differs(info, config)) await this.#jsm.consumers.update(this.#names.work, info.name, config);
      await this.#pause(info, settings, now);
    }
    return isDone;
  }

  async counts(queue: string): Promise<LaneCounts[]> {
    const infos = await Promise.all(lanes.map((lane) => this.#read(queue, lane)));
    return infos.flatMap((info, index) => (info === null ? [] : [countsOf(lanes[index] as Lane, info)]));
  }

  async all(): Promise<Map<string, LaneCounts[]>> {
    const found = new Map<string, LaneCounts[]>();
    for await (const info of this.#infos.atOnce()) {
      const place = parseConsumer(info.name);
      if (place !== null)
        found.set(place.queue, [...(found.get(place.queue) ?? []), countsOf(place.lane, info)]);
    }
    return found;
  }

  async handedOut(queue: string, lane: Lane): Promise<number> {
    return (await this.#read(queue, lane))?.delivered.stream_seq ?? 0;
  }

  async hasJobs(queue: string): Promise<boolean> {
    return (await this.oldestJob(queue)) !== null;
  }

  async oldestJob(queue: string): Promise<Instant | null> {
    const query = { seq: 1, next_by_subj: this.#names.jobsOf(queue) };
    const message = await this.#jsm.streams.getMessage(this.#names.work, query);
    return message === null ? null : message.time.getTime();
  }

  async remove(queue: string): Promise<void> {
    const names = lanes.map((lane) => this.#names.consumer(queue, lane));
    for (const name of [...names, this.#names.gateConsumer(queue)]) {
      try {
        await this.#jsm.consumers.delete(this.#names.work, name);
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    }
  }

  /** The lanes that have their consumer; none of them counts without that of `work`. */
  async #has(queue: string): Promise<Set<Lane>> {
    const there = await this.#existing(queue);
    const found = lanes.filter((lane) => there.has(this.#names.consumer(queue, lane)));
    return new Set(found.includes("work") ? found : []);
  }

  async #existing(queue: string): Promise<Set<string>> {
    try {
      return await consumerNames(this.#connection, this.#names.work);
    } catch (error) {
      throw unreadable(queue, error);
    }
  }

  async #make(queue: string, lane: Lane, settings: QueueSettings): Promise<void> {
    await this.#jsm.consumers.add(this.#names.work, {
      durable_name: this.#names.consumer(queue, lane),
      filter_subject: this.#names.queueSubjects(queue, lane),
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
      // Each idle worker has a request waiting; by default those after the 512th are refused, and asked anew for ever.
      max_waiting: limits.workersWaiting,
      ...configOf(settings),
    });
  }

  async #pause({ name, paused, config }: ConsumerInfo, settings: QueueSettings, now: Instant): Promise<void> {
    if (isOlder(serverFacts(this.#connection).version, PAUSE_SINCE)) return;
    const { work } = this.#names;
    if (!isQueuePausedAt(settings, now)) {
      if (paused === true) await this.#jsm.consumers.resume(work, name);
      return;
    }
    const until = settings.pausedUntil ?? FAR;
    if (paused !== true || Date.parse(config.pause_until ?? "") !== until)
      await this.#jsm.consumers.pause(work, name, new Date(until));
  }

  async #read(queue: string, lane: Lane): Promise<ConsumerInfo | null> {
    try {
      return await this.#jsm.consumers.info(this.#names.work, this.#names.consumer(queue, lane));
    } catch (error) {
      if (isMissing(error)) return null;
      throw unreadable(queue, error);
    }
  }
}

const unreadable = (queue: string, cause: unknown): PunctualError =>
  new PunctualError("unavailable", `queue ${queue}: cannot be read`, { cause });

/**
 * What the server keeps of the settings.
 *
 * JetStream's backoff takes the place of the ack wait: a job that is allowed to be silent for 10 s would be given to
 * another worker after a backoff of 1 s, while it runs. So each wait begins where the ack wait ends.
 */
function configOf(settings: QueueSettings) {
  const { ackWaitMs, maxAttempts, backoffMs, concurrency, history, perKey } = settings;
  const backoff = backoffMs.map((ms) => nanos(ackWaitMs + ms));
  return {
    // Of so many acknowledgements in a hundred.
    sample_freq: areAcksTold({ history, perKey }) ? "100" : "0",
    ack_wait: backoff[0] ?? nanos(ackWaitMs),
    max_deliver: maxAttempts,
    max_ack_pending: concurrency,
    // An empty list has to be said, or the one before it stays.
    backoff,
  };
}

/**
 * A job that was delivered more often than a new limit is neither delivered again nor told of: it would lie there for
 * ever (seen on 2.9.10 and 2.14.5). So a limit is lowered only when nothing is in its second attempt or a later one.
 * Old servers go on counting those that are gone, while anything is handed out.
 */
function attemptsFor(wanted: number, { config, num_redelivered, num_ack_pending }: ConsumerInfo): number {
  return num_redelivered > 0 && num_ack_pending > 0 ? Math.max(wanted, config.max_deliver ?? wanted) : wanted;
}

function differs({ config }: ConsumerInfo, wanted: ReturnType<typeof configOf>): boolean {
  return (
    config.ack_wait !== wanted.ack_wait ||
    config.max_deliver !== wanted.max_deliver ||
    config.max_ack_pending !== wanted.max_ack_pending ||
    (config.sample_freq ?? "0") !== wanted.sample_freq ||
    String(config.backoff ?? []) !== String(wanted.backoff)
  );
}

function countsOf(lane: Lane, info: ConsumerInfo): LaneCounts {
  return {
    lane,
    queued: info.num_pending,
    running: info.num_ack_pending,
    redelivered: info.num_redelivered,
    pulls: info.num_waiting,
    paused: info.paused === true,
  };
}
