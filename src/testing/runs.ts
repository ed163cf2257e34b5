/** RUNS in memory. */
import { PunctualError } from "../core/errors.js";
import type { RunEvent, RunLog } from "../core/ports.js";
import { headers as h } from "../protocol/headers.js";
import { type MemoryLink, refuse } from "./link.js";
import type { MemoryServer } from "./server.js";

const encoder = new TextEncoder();

export class MemoryRunLog implements RunLog {
  readonly #server: MemoryServer;
  readonly #link: MemoryLink;

  constructor(server: MemoryServer, link: MemoryLink) {
    this.#server = server;
    this.#link = link;
  }

  append(event: RunEvent): Promise<void> {
    const { runs, names, faults } = this.#server;
    const message = {
      subject: names.runEvent(event.runId, event.type),
      headers: { [h.msgId]: event.msgId },
      body: encoder.encode(JSON.stringify(event.data)),
    };
    const append = () => {
      const answer = this.#server.store(runs, message);
      if (answer.kind !== "stored" && answer.kind !== "duplicate") {
        throw new PunctualError(
          "unavailable",
          `${message.subject}: the event could not be stored (${answer.kind})`,
        );
      }
    };
    return this.#link.request<void>(append, faults.runEvent?.(event), refuse);
  }

  hasAny(runId: string, workSubject: string, from: number): Promise<boolean> {
    const { runs, names } = this.#server;
    const prefix = names.runEvent(runId, "");
    return this.#link.ask("traces of a run", () => {
      for (const subject of runs.subjects()) if (subject.startsWith(prefix)) return true;
      return runs
        .of(names.queued(workSubject))
        .some(({ seq, headers }) => seq > from && headers[h.runId] === runId);
    });
  }

  has(runId: string, type: string): Promise<boolean> {
    const { runs, names } = this.#server;
    return this.#link.ask("run event", () => runs.last(names.runEvent(runId, type)) !== null);
  }

  lastSequence(): Promise<number> {
    return this.#link.ask("last event", () => this.#server.runs.lastSequence);
  }
}
