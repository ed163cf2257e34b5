/**
 * Reading and removing messages of a stream one by one, a thousand a second and more: without the promises, timers and
 * objects that the client's manager makes for each.
 */
import type { NatsConnection } from "@nats-io/transport-node";
import type { Clock, StoredMessage } from "../core/ports.js";
import { errorCodes } from "./ack.js";
import { Few } from "./few.js";
import { Mailbox, type Reading } from "./mailbox.js";
import { READ_TIMEOUT_MS, repeated } from "./reads.js";

/** Under way at once. */
const READS = 128;
const REMOVALS = 32;

interface Answer {
  message?: { subject: string; seq: number; hdrs?: string; data?: string; time: string };
  error?: { err_code?: number; description?: string };
}

type Outcome = { kind: "answer"; answer: Answer } | { kind: "failed"; error: Error };

const failed = (error: Error): Outcome => ({ kind: "failed", error });

const reading: Reading<Outcome> = {
  answered: (message) =>
    message.data.length === 0
      ? failed(new Error("nobody answers for the stream"))
      : { kind: "answer", answer: message.json<Answer>() },
  refused: (reason) => failed(new Error(reason)),
  unanswered: failed,
};

export class SingleMessages {
  readonly #open: () => Mailbox<Outcome>;
  #mailbox: Mailbox<Outcome> | undefined;
  readonly #stream: string;
  readonly #reads = new Few(READS);
  readonly #removals = new Few(REMOVALS);

  constructor(connection: NatsConnection, clock: Clock, stream: string) {
    this.#open = () => new Mailbox(connection, clock, READ_TIMEOUT_MS, reading);
    this.#stream = stream;
  }

  /** From the leader; null: there is none. */
  async read(seq: number): Promise<StoredMessage | null> {
    const { message, error } = await this.#reads.run(() => repeated(() => this.#ask("GET", { seq })));
    if (message === undefined && error?.err_code === errorCodes.noMessageFound) return null;
    if (message === undefined) throw new Error(error?.description ?? "an answer without a message");
    return storedMessageOf(message);
  }

  /** Also one that is gone already. */
  async remove(seq: number): Promise<void> {
    const { error } = await this.#removals.run(() => this.#ask("DELETE", { seq, no_erase: true }));
    if (error !== undefined && (await this.read(seq)) !== null) throw new Error(error.description);
  }

  async #ask(verb: "GET" | "DELETE", query: object): Promise<Answer> {
    const subject = `$JS.API.STREAM.MSG.${verb}.${this.#stream}`;
    // Most connections never read any: a mailbox is a subscription.
    this.#mailbox ??= this.#open();
    const outcome = await this.#mailbox.send(subject, JSON.stringify(query));
    if (outcome.kind === "failed") throw outcome.error;
    return outcome.answer;
  }
}

function storedMessageOf({
  subject,
  seq,
  hdrs = "",
  data = "",
  time,
}: NonNullable<Answer["message"]>): StoredMessage {
  const headers = headersIn(Buffer.from(hdrs, "base64").toString());
  const { buffer, byteOffset, length } = Buffer.from(data, "base64");
  const body = new Uint8Array(buffer, byteOffset, length);
  return { seq, subject, headers, body, storedAt: Date.parse(time) };
}

/** After a line with the version; of a header given twice, the last value. */
function headersIn(block: string): Record<string, string> {
  const record: Record<string, string> = {};
  for (const line of block.split("\r\n").slice(1)) {
    const colon = line.indexOf(":");
    if (colon > 0) record[line.slice(0, colon)] = line.slice(colon + 1).trim();
  }
  return record;
}
