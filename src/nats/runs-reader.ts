/**
 * RUNS, read as a log.
 *
 * Servers before 2.9.15 may count what is left for a consumer with a filter at each message that they hand out, and go
 * through half a block of the stream, 4 MB, for that: some milliseconds for each of thousands. They do so where all that is
 * left lies in the last block. So what may fit into it is read without a filter.
 */
import {
  DeliverPolicy,
  type JetStreamClient,
  type JetStreamManager,
  type JsMsg,
  type OrderedConsumerOptions,
  type StoredMsg,
} from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import type { ReadOptions, RunsReader, ToldMessage } from "../core/runs-reader.js";
import type { Names } from "../protocol/names.js";
import { isUnder } from "../protocol/subject-filter.js";
import { RunEvents } from "./run-events.js";
import { scan, storedSince } from "./scan.js";
import { isOlder, serverFacts } from "./server-check.js";
import { headersOf } from "./work.js";

const AHEAD = 2_000;
const NO_HEADERS = {};
const COUNTS_ONCE_SINCE = "2.9.15";
/** Two blocks, as messages are of different sizes. */
const MOST_UNFILTERED_BYTES = 16 * 1024 * 1024;

export class NatsRunsReader implements RunsReader {
  readonly #connection: NatsConnection;
  readonly #js: JetStreamClient;
  readonly #jsm: JetStreamManager;
  readonly #names: Names;
  readonly #events: RunEvents;

  constructor(connection: NatsConnection, js: JetStreamClient, jsm: JetStreamManager, names: Names) {
    this.#connection = connection;
    this.#js = js;
    this.#jsm = jsm;
    this.#names = names;
    this.#events = new RunEvents(jsm, names);
  }

  async bounds(): Promise<{ first: number; last: number }> {
    const { first_seq, last_seq } = (await this.#jsm.streams.info(this.#names.runs)).state;
    return { first: Math.max(1, first_seq), last: last_seq };
  }

  isAnyBefore(runId: string, seq: number): Promise<boolean> {
    return this.#events.isAnyBefore(runId, seq);
  }

  async read(
    { from, to, runId, subject, since }: ReadOptions,
    onMessage: (message: ToldMessage) => void,
  ): Promise<void> {
    if (to < from) return;
    if (runId !== undefined) {
      for (const message of await this.#events.all(runId, from, to)) onMessage(toldByStored(message));
      return;
    }
    const start =
      since === undefined
        ? { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: from }
        : storedSince(since);
    const isPicked = subject !== undefined && (await this.#isCounted(start));
    const filter = subject === undefined || isPicked ? {} : { filter_subjects: subject };
    const place = { js: this.#js, stream: this.#names.runs, ahead: AHEAD, from: { ...start, ...filter } };
    await scan(place, (message) => {
      const isSought = !isPicked || isUnder(message.subject, subject);
      if (isSought && from <= message.seq && message.seq <= to) onMessage(toldBy(message));
      return message.seq >= to;
    });
  }

  /** Whether such a server would count for each message. */
  async #isCounted(start: Partial<OrderedConsumerOptions>): Promise<boolean> {
    if (!isOlder(serverFacts(this.#connection).version, COUNTS_ONCE_SINCE)) return false;
    const { messages, bytes } = (await this.#jsm.streams.info(this.#names.runs)).state;
    const consumer = await this.#js.consumers.get(this.#names.runs, start);
    const { num_pending } = await consumer.info(true);
    await consumer.delete().catch(() => {});
    return num_pending * bytes <= MOST_UNFILTERED_BYTES * messages;
  }
}

function toldByStored(message: StoredMsg): ToldMessage {
  const { seq, subject, header, data, time } = message;
  return { seq, subject, at: time.getTime(), headers: headersOf(header), body: data };
}

function toldBy(message: JsMsg): ToldMessage {
  const { seq, subject, headers, data, time } = message;
  return {
    seq,
    subject,
    at: time.getTime(),
    headers: headers === undefined ? NO_HEADERS : headersOf(headers),
    body: data,
  };
}
