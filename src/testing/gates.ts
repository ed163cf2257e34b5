/** The gates of queues in memory. */
import type { GateStore, Waiting, WaitingQuery } from "../core/gate-store.js";
import { lanes } from "../core/lane.js";
import type { StoredMessage, Subscription } from "../core/ports.js";
import type { Instant } from "../core/schedule.js";
import { hasPassedGate, waitingOf } from "../protocol/gate-message.js";
import { headers as h } from "../protocol/headers.js";
import { parseGateSubject, parseJobSubject } from "../protocol/subjects.js";
import { type MemoryLink, subscription } from "./link.js";
import type { MemoryServer } from "./server.js";

export class MemoryGateStore implements GateStore {
  readonly #server: MemoryServer;
  readonly #link: MemoryLink;

  constructor(server: MemoryServer, link: MemoryLink) {
    this.#server = server;
    this.#link = link;
  }

  waiting(queue: string, { after, limit, key }: WaitingQuery): Promise<Waiting[]> {
    const { names } = this.#server;
    const filter = key === undefined ? names.queueGate(queue) : names.keyGate(queue, key);
    return this.#link.ask("waiting jobs", () => {
      const all = this.#below(filter).filter(({ seq }) => seq > after);
      return all.slice(0, limit).map(waitingOf);
    });
  }

  count(queue: string): Promise<number> {
    return this.#link.ask("waiting jobs", () => this.#below(this.#server.names.queueGate(queue)).length);
  }

  nextQueue(from: number): Promise<{ queue: string; seq: number } | null> {
    return this.#link.ask("next waiting job", () => {
      const next = this.#below(this.#server.names.gateSubjects).find(({ seq }) => seq >= from);
      if (next === undefined) return null;
      return { queue: parseGateSubject(next.subject)?.queue ?? "", seq: next.seq };
    });
  }

  lastSequence(): Promise<number> {
    return this.#link.ask("last sequence", () => this.#server.work.lastSequence);
  }

  onArrival(queue: string, arrived: () => void): Subscription {
    const prefix = this.#server.names.queueGate(queue).slice(0, -1);
    let isHeard = false;
    const stop = this.#server.work.onStored(({ subject }) => {
      if (isHeard || !subject.startsWith(prefix)) return;
      isHeard = true;
      this.#link.push(arrived);
    });
    return subscription(this.#link, stop);
  }

  onDeparture(_queue: string, departed: (seq: number) => void): Subscription {
    const stop = this.#server.work.onRemoved((seq) => this.#link.push(() => departed(seq)));
    return subscription(this.#link, stop);
  }

  onBypass(queue: string, bypassed: () => void): Subscription {
    const stop = this.#server.work.onStored(({ subject, headers }) => {
      if (parseJobSubject(subject)?.queue === queue && !hasPassedGate(headers[h.msgId]))
        this.#link.push(bypassed);
    });
    return subscription(this.#link, stop);
  }

  quietSince(queue: string): Promise<Instant> {
    const { runs, names } = this.#server;
    const prefixes = lanes.map((lane) => names.queued(names.job(queue, "", lane)));
    return this.#link.ask("last of a queue", () => {
      const told = [...runs.messages()].filter(({ subject }) =>
        prefixes.some((prefix) => subject.startsWith(prefix)),
      );
      return told.at(-1)?.storedAt ?? 0;
    });
  }

  #below(filter: string): StoredMessage[] {
    const prefix = filter.slice(0, -1);
    return [...this.#server.work.messages()].filter(({ subject }) => subject.startsWith(prefix));
  }
}
