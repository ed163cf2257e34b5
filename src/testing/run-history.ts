/** RUNS in memory, read backwards in time. */
import type { Outcomes, PastEvent, RunHistory } from "../core/lookback.js";
import type { Instant } from "../core/schedule.js";
import { headers as h } from "../protocol/headers.js";
import { readData } from "../protocol/past-events.js";
import { decodeSlots } from "../protocol/slot-record.js";
import { textOf } from "./cas.js";
import type { MemoryLink } from "./link.js";
import type { MemoryServer } from "./server.js";

export class MemoryRunHistory implements RunHistory {
  readonly #server: MemoryServer;
  readonly #link: MemoryLink;

  constructor(server: MemoryServer, link: MemoryLink) {
    this.#server = server;
    this.#link = link;
  }

  events(runId: string): Promise<PastEvent[]> {
    return this.#link.ask("events of a run", () => this.#eventsOf(runId));
  }

  lastEvent(runId: string, types?: readonly string[]): Promise<PastEvent | null> {
    return this.#link.ask("last event of a run", () => {
      const events = this.#eventsOf(runId);
      return events.findLast(({ type }) => types?.includes(type) ?? true) ?? null;
    });
  }

  lastQueued(workSubject: string): Promise<{ msgId: string | undefined } | null> {
    const { runs, names } = this.#server;
    return this.#link.ask("queued", () => {
      const message = runs.last(names.queued(workSubject));
      return message && { msgId: message.headers[h.msgId] };
    });
  }

  outcomes({ id, shard }: { id: string; shard: number }, since: Instant): Promise<Outcomes> {
    return this.#link.ask("outcomes of slots", () => {
      const { names } = this.#server;
      const told = [...this.#server.runs.messages()].filter(({ storedAt }) => storedAt >= since);
      const records = told
        .filter(({ subject }) => subject === names.slots(shard))
        .map((message) => decodeSlots(textOf(message)));
      const isOwn = ({ scheduleId }: { scheduleId: string }) => scheduleId === id;
      const fired = records.flatMap((record) => record.fired.filter(isOwn));
      return {
        fired: new Map(fired.map(({ slot, seq }) => [slot, seq] as const)),
        reports: records.flatMap((record) => record.reports.filter(isOwn)),
      };
    });
  }

  #eventsOf(runId: string): PastEvent[] {
    const prefix = this.#server.names.runEvent(runId, "");
    return [...this.#server.runs.messages()]
      .filter(({ subject }) => subject.startsWith(prefix))
      .map((message) => ({
        type: message.subject.slice(prefix.length),
        at: message.storedAt,
        data: readData(textOf(message)),
      }));
  }
}
