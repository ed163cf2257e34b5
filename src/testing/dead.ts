/** Dead letters in memory. */
import type { DeadLetter, DeadLetters } from "../core/ports.js";
import { letterHeaders } from "../protocol/dead-letter.js";
import type { MemoryLink } from "./link.js";
import type { MemoryServer } from "./server.js";

export class MemoryDeadLetters implements DeadLetters {
  readonly #server: MemoryServer;
  readonly #link: MemoryLink;

  constructor(server: MemoryServer, link: MemoryLink) {
    this.#server = server;
    this.#link = link;
  }

  bury(letter: DeadLetter): Promise<void> {
    const { dead, names } = this.#server;
    const message = {
      subject: names.deadLetter(letter.queue),
      headers: letterHeaders(letter),
      body: letter.body,
    };
    return this.#link.ask("bury", () => void this.#server.store(dead, message));
  }
}
