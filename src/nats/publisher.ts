/**
 * Publishing at full speed: `js.publish()` tops out at about 21,000 a second. An unanswered publish is `unknown`, and what
 * that means is for the caller to decide.
 */
import type { MsgHdrs, NatsConnection } from "@nats-io/transport-node";
import type { PublishWindow } from "../core/figures.js";
import type { Clock, PublishOutcome } from "../core/ports.js";
import { headers as h } from "../protocol/headers.js";
import { readAck } from "./ack.js";
import { Mailbox, type Reading } from "./mailbox.js";

export interface PublisherOptions {
  /** Publishes that may be unanswered at once. Default 1,024. */
  window?: number;
  /** An answer that takes longer makes the outcome unknown. Default 5 s. */
  timeoutMs?: number;
}

const reading: Reading<PublishOutcome> = {
  answered: readAck,
  refused: (reason) => ({ kind: "refused", reason }),
  unanswered: (error) => ({ kind: "unknown", error }),
};

export class Publisher {
  readonly #mailbox: Mailbox<PublishOutcome>;
  readonly #window: number;
  #room: { promise: Promise<void>; open(): void } | undefined;

  constructor(connection: NatsConnection, clock: Clock, options: PublisherOptions = {}) {
    this.#window = options.window ?? 1_024;
    this.#mailbox = new Mailbox(connection, clock, options.timeoutMs ?? 5_000, reading, () =>
      this.#onAnswer(),
    );
  }

  get window(): PublishWindow {
    return { unanswered: this.#mailbox.size, size: this.#window };
  }

  /** Undefined when there is room for another publish, else a promise of it. */
  ready(): Promise<void> | undefined {
    if (this.#mailbox.size < this.#window || this.#mailbox.isClosed) return undefined;
    if (this.#room === undefined) {
      let open = () => {};
      const promise = new Promise<void>((resolve) => {
        open = resolve;
      });
      this.#room = { promise, open };
    }
    return this.#room.promise;
  }

  /** Sends once; never rejects. */
  publish(
    subject: string,
    headers: Readonly<Record<string, string>>,
    body: Uint8Array,
  ): Promise<PublishOutcome> {
    return this.send(subject, headerBlock(headers), body);
  }

  /** The same with headers that were made ready before. */
  send(subject: string, headers: MsgHdrs, body: Uint8Array): Promise<PublishOutcome> {
    return this.#mailbox.send(subject, body, headers);
  }

  #onAnswer(): void {
    if (this.#room === undefined || this.#mailbox.size > this.#window / 2) return;
    this.#room.open();
    this.#room = undefined;
  }
}

/** Headers in the form in which they are sent; the client asks for nothing but `encode`. */
export function headerBlock(headers: Readonly<Record<string, string>>, msgId?: string): MsgHdrs {
  let text = "NATS/1.0\r\n";
  if (msgId !== undefined) text += `${h.msgId}: ${msgId}\r\n`;
  for (const name in headers) text += `${name}: ${headers[name]}\r\n`;
  const block = Buffer.from(`${text}\r\n`);
  return { encode: () => block } as unknown as MsgHdrs;
}
