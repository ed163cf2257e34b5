/** RUNS in memory, read as a log. */
import type { ReadOptions, RunsReader, ToldMessage } from "../core/runs-reader.js";
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

  async read({ from, to, runId }: ReadOptions, onMessage: (message: ToldMessage) => void): Promise<void> {
    const prefix = runId === undefined ? "" : this.#server.names.runEvent(runId, "");
    const found = await this.#link.ask("what RUNS tells", () =>
      [...this.#server.runs.messages()].filter(
        ({ seq, subject }) => seq >= from && seq <= to && subject.startsWith(prefix),
      ),
    );
    for (const { seq, subject, headers, body, storedAt } of found)
      onMessage({ seq, subject, at: storedAt, headers, body });
  }
}
