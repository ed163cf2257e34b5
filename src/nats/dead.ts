/** Dead letters. */
import { PunctualError } from "../core/errors.js";
import type { DeadLetter, DeadLetters } from "../core/ports.js";
import { letterHeaders } from "../protocol/dead-letter.js";
import { headers as h } from "../protocol/headers.js";
import type { Names } from "../protocol/names.js";
import { reasonOf } from "./ack.js";
import type { Publisher } from "./publisher.js";

/** Characters that are kept of an error where there is little room. */
const SHORT_ERROR = 256;

export class NatsDeadLetters implements DeadLetters {
  readonly #publisher: Publisher;
  readonly #names: Names;
  readonly #maxPayload: number;

  /** @param maxPayload of the server, in bytes: headers and body */
  constructor(publisher: Publisher, names: Names, maxPayload: number) {
    this.#publisher = publisher;
    this.#names = names;
    this.#maxPayload = maxPayload;
  }

  async bury(letter: DeadLetter): Promise<void> {
    const headers = letterHeaders(letter);
    await this.#publisher.ready();
    const message = fitted({ headers, body: letter.body }, this.#maxPayload);
    const subject = this.#names.deadLetter(letter.queue);
    const outcome = await this.#publisher.publish(subject, message.headers, message.body);
    if (outcome.kind === "stored" || outcome.kind === "duplicate") return;
    throw new PunctualError(
      "unavailable",
      `the dead letter of ${letter.subject} could not be stored (${reasonOf(outcome)})`,
    );
  }
}

interface Message {
  headers: Readonly<Record<string, string>>;
  body: Uint8Array;
}

/**
 * A dead letter has more headers than its job had, and must fit all the same, or the job would fail for ever. The
 * stack gives way first, then the end of the error, and of the payload only what no message could hold beside them.
 */
function fitted({ headers, body }: Message, maxPayload: number): Message {
  if (sizeOf(headers) + body.length <= maxPayload) return { headers, body };
  const { [h.errorStack]: _stack, ...plain } = headers;
  if (sizeOf(plain) + body.length <= maxPayload) return { headers: plain, body };
  const error = plain[h.error]?.slice(0, SHORT_ERROR);
  const short = { ...plain, ...(error !== undefined && { [h.error]: error }) };
  if (sizeOf(short) + body.length <= maxPayload) return { headers: short, body };
  const marked = { ...short, [h.bodyBytes]: String(body.length) };
  return { headers: marked, body: body.subarray(0, Math.max(0, maxPayload - sizeOf(marked))) };
}

function sizeOf(headers: Readonly<Record<string, string>>): number {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.byteLength(`NATS/1.0\r\n${lines.join("")}\r\n`);
}
