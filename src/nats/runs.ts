/** RUNS: what happened. */
import type { JetStreamManager } from "@nats-io/jetstream";
import type { EndRecord, EndRecords } from "../core/end-record.js";
import { PunctualError } from "../core/errors.js";
import type { FiredRecord, FiredRecords } from "../core/fired-record.js";
import type { FiredSlot, RunEvent, RunLog, SlotRecord, SlotsRead } from "../core/ports.js";
import { encodeEnds } from "../protocol/end-record.js";
import { encodeFired } from "../protocol/fired-record.js";
import { headers as h } from "../protocol/headers.js";
import type { Names } from "../protocol/names.js";
import { decodeSlots, encodeSlots } from "../protocol/slot-record.js";
import { reasonOf } from "./ack.js";
import type { Publisher } from "./publisher.js";
import { RunEvents } from "./run-events.js";

export class NatsRunLog implements RunLog, FiredRecords, EndRecords {
  readonly #jsm: JetStreamManager;
  readonly #publisher: Publisher;
  readonly #names: Names;
  readonly #events: RunEvents;

  constructor(jsm: JetStreamManager, publisher: Publisher, names: Names) {
    this.#jsm = jsm;
    this.#events = new RunEvents(jsm, names);
    this.#publisher = publisher;
    this.#names = names;
  }

  async append(event: RunEvent): Promise<void> {
    await this.#store(this.#names.runEvent(event.runId, event.type), event.msgId, JSON.stringify(event.data));
  }

  async appendSlots(record: SlotRecord): Promise<void> {
    await this.#store(this.#names.slots(record.shard), record.msgId, encodeSlots(record));
  }

  async appendFired(record: FiredRecord): Promise<void> {
    await this.#store(this.#names.fired(record.queue), undefined, encodeFired(record));
  }

  async appendEnds(record: EndRecord): Promise<void> {
    await this.#store(this.#names.ends(record.queue), record.msgId, encodeEnds(record));
  }

  async slotsAfter(shard: number, from: number, onRead?: () => Promise<void>): Promise<SlotsRead> {
    const fired: FiredSlot[] = [];
    for (let last = from; ; ) {
      const query = { seq: last + 1, next_by_subj: this.#names.slots(shard) };
      const message = await this.#jsm.streams.getMessage(this.#names.runs, query);
      if (message === null) return { fired, last };
      fired.push(...decodeSlots(message.string()).fired);
      last = message.seq;
      await onRead?.();
    }
  }

  async hasAny(runId: string): Promise<boolean> {
    return (await this.#events.last(runId)) !== null;
  }

  async has(runId: string, type: string): Promise<boolean> {
    return (await this.#events.lastOf(runId, type)) !== null;
  }

  async lastSequence(): Promise<number> {
    return (await this.#jsm.streams.info(this.#names.runs)).state.last_seq;
  }

  async #store(subject: string, msgId: string | undefined, body: string): Promise<void> {
    const room = this.#publisher.ready();
    if (room !== undefined) await room;
    const headers = msgId === undefined ? {} : { [h.msgId]: msgId };
    const outcome = await this.#publisher.publish(subject, headers, Buffer.from(body));
    if (outcome.kind === "stored" || outcome.kind === "duplicate") return;
    throw new PunctualError(
      "unavailable",
      `${subject}: the event could not be stored (${reasonOf(outcome)})`,
    );
  }
}
