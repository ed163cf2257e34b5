/** Dead letters in memory. */
import type { DeadLetter, DeadLetters } from "../core/ports.js";
import { headers as h } from "../protocol/headers.js";
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
    const headers = {
      ...withoutControls(letter.headers),
      [h.msgId]: `${letter.subject}#${letter.seq}`,
      [h.subject]: letter.subject,
      [h.queue]: letter.queue,
      [h.reason]: letter.reason,
      [h.attempts]: String(letter.attempts),
      ...(letter.error !== undefined && { [h.error]: letter.error }),
      ...(letter.stack !== undefined && { [h.errorStack]: letter.stack }),
    };
    const message = { subject: names.deadLetter(letter.queue), headers, body: letter.body };
    return this.#link.ask("bury", () => void this.#server.store(dead, message));
  }
}

/** The headers of the job, without those that tell JetStream what to do. */
function withoutControls(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !/^nats-/i.test(name)));
}
