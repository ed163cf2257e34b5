/** RUNS, read as a log. */
import {
  DeliverPolicy,
  type JetStreamClient,
  type JetStreamManager,
  type JsMsg,
  type StoredMsg,
} from "@nats-io/jetstream";
import type { ReadOptions, RunsReader, ToldMessage } from "../core/runs-reader.js";
import type { Names } from "../protocol/names.js";
import { RunEvents } from "./run-events.js";
import { scan, storedSince } from "./scan.js";
import { headersOf } from "./work.js";

const AHEAD = 2_000;
const NO_HEADERS = {};

export class NatsRunsReader implements RunsReader {
  readonly #js: JetStreamClient;
  readonly #jsm: JetStreamManager;
  readonly #names: Names;
  readonly #events: RunEvents;

  constructor(js: JetStreamClient, jsm: JetStreamManager, names: Names) {
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
    const place = {
      ...{ js: this.#js, stream: this.#names.runs, ahead: AHEAD },
      from: { ...start, ...(subject !== undefined && { filter_subjects: subject }) },
    };
    await scan(place, (message) => {
      if (from <= message.seq && message.seq <= to) onMessage(toldBy(message));
      return message.seq >= to;
    });
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
