/** Dead letters. */
import { PunctualError } from "../core/errors.js";
import type { DeadLetter, DeadLetters } from "../core/ports.js";
import { headers as h } from "../protocol/headers.js";
import { limits } from "../protocol/limits.js";
import type { Names } from "../protocol/names.js";
import type { Publisher } from "./publisher.js";

export class NatsDeadLetters implements DeadLetters {
  readonly #publisher: Publisher;
  readonly #names: Names;

  constructor(publisher: Publisher, names: Names) {
    this.#publisher = publisher;
    this.#names = names;
  }

  async bury(letter: DeadLetter): Promise<void> {
    const headers = {
      ...withoutControls(letter.headers),
      [h.msgId]: `${letter.subject}#${letter.seq}`,
      [h.subject]: letter.subject,
      [h.queue]: letter.queue,
      [h.reason]: oneLine(letter.reason),
      [h.attempts]: String(letter.attempts),
      ...(letter.error !== undefined && { [h.error]: oneLine(letter.error) }),
      ...(letter.stack !== undefined && { [h.errorStack]: oneLine(letter.stack) }),
    };
    await this.#publisher.ready();
    const outcome = await this.#publisher.publish(this.#names.deadLetter(letter.queue), headers, letter.body);
    if (outcome.kind === "stored" || outcome.kind === "duplicate") return;
    const why =
      outcome.kind === "unknown"
        ? outcome.error.message
        : "reason" in outcome
          ? outcome.reason
          : outcome.kind;
    throw new PunctualError(
      "unavailable",
      `the dead letter of ${letter.subject} could not be stored (${why})`,
    );
  }
}

/** A header is one line: line ends become spaces, as in a stack. */
function oneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, " | ").slice(0, limits.errorLength);
}

/** The headers of the job, without those that tell JetStream what to do. */
function withoutControls(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !/^nats-/i.test(name)));
}
