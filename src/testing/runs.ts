/** RUNS in memory. */
import type { EndRecord, EndRecords } from "../core/end-record.js";
import { PunctualError } from "../core/errors.js";
import type { FiredRecord, FiredRecords } from "../core/fired-record.js";
import type { RunEvent, RunLog, SlotRecord, SlotsRead } from "../core/ports.js";
import { encodeEnds } from "../protocol/end-record.js";
import { encodeFired } from "../protocol/fired-record.js";
import { headers as h } from "../protocol/headers.js";
import { decodeSlots, encodeSlots } from "../protocol/slot-record.js";
import type { Fault } from "./faults.js";
import { type MemoryLink, refuse } from "./link.js";
import type { MemoryServer } from "./server.js";

const encoder = new TextEncoder();

export class MemoryRunLog implements RunLog, FiredRecords, EndRecords {
  readonly #server: MemoryServer;
  readonly #link: MemoryLink;

  constructor(server: MemoryServer, link: MemoryLink) {
    this.#server = server;
    this.#link = link;
  }

  append(event: RunEvent): Promise<void> {
    const subject = this.#server.names.runEvent(event.runId, event.type);
    return this.#store(
      subject,
      event.msgId,
      JSON.stringify(event.data),
      this.#server.faults.runEvent?.(event),
    );
  }

  appendSlots(record: SlotRecord): Promise<void> {
    const subject = this.#server.names.slots(record.shard);
    return this.#store(subject, record.msgId, encodeSlots(record), this.#server.faults.slotRecord?.(record));
  }

  appendFired(record: FiredRecord): Promise<void> {
    const subject = this.#server.names.fired(record.queue);
    return this.#store(subject, undefined, encodeFired(record), this.#server.faults.firedRecord?.(record));
  }

  appendEnds(record: EndRecord): Promise<void> {
    const subject = this.#server.names.ends(record.queue);
    return this.#store(subject, record.msgId, encodeEnds(record), this.#server.faults.endRecord?.(record));
  }

  async slotsAfter(shard: number, from: number, onRead?: () => Promise<void>): Promise<SlotsRead> {
    const records = await this.#link.ask("slot records", () =>
      this.#server.runs.of(this.#server.names.slots(shard)).filter(({ seq }) => seq > from),
    );
    for (const _ of records) await onRead?.();
    const fired = records.flatMap(({ body }) => decodeSlots(Buffer.from(body).toString()).fired);
    return { fired, last: records.at(-1)?.seq ?? from };
  }

  hasAny(runId: string): Promise<boolean> {
    const { runs, names } = this.#server;
    const prefix = names.runEvent(runId, "");
    return this.#link.ask("events of a run", () => {
      for (const subject of runs.subjects()) if (subject.startsWith(prefix)) return true;
      return false;
    });
  }

  has(runId: string, type: string): Promise<boolean> {
    const { runs, names } = this.#server;
    return this.#link.ask("run event", () => runs.last(names.runEvent(runId, type)) !== null);
  }

  lastSequence(): Promise<number> {
    return this.#link.ask("last event", () => this.#server.runs.lastSequence);
  }

  #store(subject: string, msgId: string | undefined, body: string, fault: Fault): Promise<void> {
    const append = () => {
      const headers = msgId === undefined ? {} : { [h.msgId]: msgId };
      const message = { subject, headers, body: encoder.encode(body) };
      const answer = this.#server.store(this.#server.runs, message);
      if (answer.kind !== "stored" && answer.kind !== "duplicate")
        throw new PunctualError("unavailable", `${subject}: the event could not be stored (${answer.kind})`);
    };
    return this.#link.request<void>(append, fault, refuse);
  }
}
