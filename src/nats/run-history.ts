/** RUNS, read backwards in time. */
import type { JetStreamClient, JetStreamManager } from "@nats-io/jetstream";
import type { Report } from "../core/lease.js";
import type { Outcomes, PastEvent, RunHistory } from "../core/lookback.js";
import type { Instant } from "../core/schedule.js";
import { headers as h } from "../protocol/headers.js";
import type { Names } from "../protocol/names.js";
import { readData } from "../protocol/past-events.js";
import { decodeSlots } from "../protocol/slot-record.js";
import { RunEvents } from "./run-events.js";
import { scanSince } from "./scan.js";

export class NatsRunHistory implements RunHistory {
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

  async events(runId: string): Promise<PastEvent[]> {
    return (await this.#events.all(runId)).map(eventOf);
  }

  async lastEvent(runId: string, types?: readonly string[]): Promise<PastEvent | null> {
    const last = await this.#events.last(runId, types);
    return last && eventOf(last);
  }

  async lastQueued(workSubject: string): Promise<{ msgId: string | undefined } | null> {
    const query = { last_by_subj: this.#names.queued(workSubject) };
    const message = await this.#jsm.streams.getMessage(this.#names.runs, query);
    return message && { msgId: message.header?.get(h.msgId) };
  }

  async outcomes(
    { id, shard }: { id: string; shard: number },
    since: Instant,
    sought?: Instant,
  ): Promise<Outcomes> {
    const fired = new Map<Instant, number | null>();
    const reports: Report[] = [];
    const place = { js: this.#js, stream: this.#names.runs, subject: this.#names.slots(shard) };
    await scanSince(place, since, (text) => {
      const told = decodeSlots(text);
      for (const { scheduleId, slot, seq } of told.fired) if (scheduleId === id) fired.set(slot, seq);
      reports.push(...told.reports.filter(({ scheduleId }) => scheduleId === id));
      return sought !== undefined && fired.has(sought);
    });
    return { fired, reports };
  }
}

function eventOf(message: { subject: string; time: Date; string(): string }): PastEvent {
  const type = message.subject.slice(message.subject.lastIndexOf(".") + 1);
  return { type, at: message.time.getTime(), data: readData(message.string()) };
}
