/** What the memory server says of its queues, its dead letters and its clock. */
import type { QueueFigures, ServerFigures } from "../core/figures.js";
import { parseJobSubject } from "../protocol/subjects.js";
import type { MemoryLink } from "./link.js";
import type { MemoryServer } from "./server.js";

export class MemoryServerFigures implements ServerFigures {
  readonly #server: MemoryServer;
  readonly #link: MemoryLink;

  constructor(server: MemoryServer, link: MemoryLink) {
    this.#server = server;
    this.#link = link;
  }

  queues(): Promise<QueueFigures[]> {
    return this.#link.ask("figures of queues", () =>
      [...this.#server.queues].flatMap(([queue, consumer]) =>
        consumer.counts().map(({ lane, queued, running }) => ({
          ...{ queue, lane, waiting: queued, inFlight: running },
          oldestAgeMs: this.#oldestAgeMs(queue, lane),
        })),
      ),
    );
  }

  deadLetters(): Promise<ReadonlyMap<string, number>> {
    const { dead, names } = this.#server;
    const prefix = names.deadLetter("").length;
    return this.#link.ask(
      "figures of dead letters",
      () => new Map([...dead.subjects()].map((subject) => [subject.slice(prefix), dead.of(subject).length])),
    );
  }

  clockOffset(): Promise<number> {
    return this.#link.ask("clock of the server", () => 0);
  }

  #oldestAgeMs(queue: string, lane: string): number | null {
    const own = [...this.#server.work.messages()].filter(({ subject }) => {
      const place = parseJobSubject(subject);
      return place?.queue === queue && place.lane === lane;
    });
    const stored = own.map(({ storedAt }) => storedAt);
    return stored.length === 0 ? null : this.#server.clock.now() - Math.min(...stored);
  }
}
