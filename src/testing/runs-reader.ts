/** RUNS in memory, read as a log. */
import type { ReadOptions, RunsReader, ToldMessage } from "../core/runs-reader.js";
import { terminalEvents } from "../protocol/events.js";
import { isUnder } from "../protocol/subject-filter.js";
import type { MemoryLink } from "./link.js";
import type { MemoryServer } from "./server.js";

export class MemoryRunsReader implements RunsReader {
  readonly #server: MemoryServer;
  readonly #link: MemoryLink;

  constructor(server: MemoryServer, link: MemoryLink) {
    this.#server = server;
    this.#link = link;
  }

  bounds(): Promise<{ first: number; last: number }> {
    return this.#link.ask("bounds of RUNS", () => {
      const { runs } = this.#server;
      const [oldest] = runs.messages();
      return { first: oldest?.seq ?? runs.lastSequence + 1, last: runs.lastSequence };
    });
  }

  isAnyBefore(runId: string, before: number): Promise<boolean> {
    const { names, runs } = this.#server;
    const ends: readonly string[] = terminalEvents.map((type) => names.runEvent(runId, type));
    const prefix = names.runEvent(runId, "");
    return this.#link.ask("what RUNS told before", () =>
      [...runs.messages()].some(
        ({ seq, subject }) => seq < before && subject.startsWith(prefix) && !ends.includes(subject),
      ),
    );
  }

  async read(
    { from, to, runId, subject: filter = ">", since = 0 }: ReadOptions,
    onMessage: (message: ToldMessage) => void,
  ): Promise<void> {
    const { names, runs } = this.#server;
    const prefix = runId === undefined ? "" : names.runEvent(runId, "");
    const found = await this.#link.ask("what RUNS tells", () =>
      [...runs.messages()].filter(
        ({ seq, subject, storedAt }) =>
          seq >= from &&
          seq <= to &&
          storedAt >= since &&
          subject.startsWith(prefix) &&
          isUnder(subject, filter),
      ),
    );
    for (const { seq, subject, headers, body, storedAt } of found)
      onMessage({ seq, subject, at: storedAt, headers, body });
  }
}
