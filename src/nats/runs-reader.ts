/** RUNS, read as a log. */
import { DeliverPolicy, type JetStreamClient, type JetStreamManager, type JsMsg } from "@nats-io/jetstream";
import type { ReadOptions, RunsReader, ToldMessage } from "../core/runs-reader.js";
import type { Names } from "../protocol/names.js";
import { scan, storedSince } from "./scan.js";
import { headersOf } from "./work.js";

const AHEAD = 2_000;
const NO_HEADERS = {};

export class NatsRunsReader implements RunsReader {
  readonly #js: JetStreamClient;
  readonly #jsm: JetStreamManager;
  readonly #names: Names;

  constructor(js: JetStreamClient, jsm: JetStreamManager, names: Names) {
    this.#js = js;
    this.#jsm = jsm;
    this.#names = names;
  }

  async bounds(): Promise<{ first: number; last: number }> {
    const { first_seq, last_seq } = (await this.#jsm.streams.info(this.#names.runs)).state;
    return { first: Math.max(1, first_seq), last: last_seq };
  }

  async read(
    { from, to, runId, subject, since }: ReadOptions,
    onMessage: (message: ToldMessage) => void,
  ): Promise<void> {
    if (to < from) return;
    const filter = runId === undefined ? subject : this.#names.runEvents(runId);
    const start =
      since === undefined
        ? { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: from }
        : storedSince(since);
    const place = {
      ...{ js: this.#js, stream: this.#names.runs, ahead: AHEAD },
      from: { ...start, ...(filter !== undefined && { filter_subjects: filter }) },
    };
    await scan(place, (message) => {
      if (from <= message.seq && message.seq <= to) onMessage(toldBy(message));
      return message.seq >= to;
    });
  }
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
