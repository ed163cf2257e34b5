/** What the server says of its queues, its dead letters and its clock. */
import type { ConsumerInfo, JetStreamManager } from "@nats-io/jetstream";
import type { KV } from "@nats-io/kv";
import { PunctualError } from "../core/errors.js";
import type { QueueFigures, ServerFigures } from "../core/figures.js";
import type { Clock } from "../core/ports.js";
import type { Names } from "../protocol/names.js";
import { parseConsumer } from "../protocol/subjects.js";
import type { ConsumerInfos } from "./consumer-infos.js";

export interface FiguresParts {
  jsm: JetStreamManager;
  /** Of WORK. */
  consumers: ConsumerInfos;
  /** What is written there fades by itself. */
  members: KV;
  names: Names;
  clock: Clock;
}

export class NatsServerFigures implements ServerFigures {
  readonly #jsm: JetStreamManager;
  readonly #consumers: ConsumerInfos;
  readonly #members: KV;
  readonly #names: Names;
  readonly #clock: Clock;

  constructor({ jsm, consumers, members, names, clock }: FiguresParts) {
    this.#jsm = jsm;
    this.#consumers = consumers;
    this.#members = members;
    this.#names = names;
    this.#clock = clock;
  }

  async queues(): Promise<QueueFigures[]> {
    const offset = await this.clockOffset();
    const figures: QueueFigures[] = [];
    for await (const info of this.#consumers.all()) {
      const place = parseConsumer(info.name);
      if (place === null) continue;
      const serverNow = this.#clock.now() + offset;
      const oldest = await this.#oldest(info);
      figures.push({
        ...place,
        waiting: info.num_pending,
        inFlight: info.num_ack_pending,
        oldestAgeMs: oldest === null ? null : Math.max(0, serverNow - oldest),
      });
    }
    return figures;
  }

  async deadLetters(): Promise<ReadonlyMap<string, number>> {
    const { state } = await this.#jsm.streams.info(this.#names.dead, {
      subjects_filter: this.#names.deadSubjects,
    });
    const prefix = this.#names.deadLetter("").length;
    return new Map(
      Object.entries(state.subjects ?? {}).map(([subject, count]) => [subject.slice(prefix), count]),
    );
  }

  async clockOffset(): Promise<number> {
    const key = this.#names.clockKey;
    const before = this.#clock.now();
    const revision = await this.#members.put(key, "");
    const after = this.#clock.now();
    const entry = await this.#members.get(key, { revision });
    if (entry !== null) return entry.created.getTime() - (before + after) / 2;
    // Another one read it too, and wrote after us.
    const later = await this.#members.get(key);
    if (later === null || later.revision < revision)
      throw new PunctualError("unavailable", "the server's clock could not be read");
    return later.created.getTime() - (before + this.#clock.now()) / 2;
  }

  /** Everything before the consumer's floor is done with. */
  async #oldest({ config, ack_floor, num_pending, num_ack_pending }: ConsumerInfo): Promise<number | null> {
    const subject = config.filter_subject;
    if (subject === undefined || num_pending + num_ack_pending === 0) return null;
    const query = { seq: ack_floor.stream_seq + 1, next_by_subj: subject };
    const message = await this.#jsm.streams.getMessage(this.#names.work, query);
    return message === null ? null : message.time.getTime();
  }
}
