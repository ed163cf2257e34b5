/**
 * Publishing at full speed.
 *
 * `js.publish()` makes a promise, a timer and two error objects for each message and tops out at about 21,000 a
 * second. Here all messages share one reply inbox; the last token of a reply subject is a number that finds its
 * waiter, and one sweep looks for answers that are late. Nothing is ever sent twice: an unanswered publish is
 * `unknown`, and what that means is for the caller to decide.
 */
import { createInbox, errors, type Msg, type MsgHdrs, type NatsConnection } from "@nats-io/transport-node";
import type { PublishWindow } from "../core/figures.js";
import type { Clock, PublishOutcome } from "../core/ports.js";
import { Unanswered } from "../core/unanswered.js";
import { headers as h } from "../protocol/headers.js";
import { readAck } from "./ack.js";

export interface PublisherOptions {
  /** Publishes that may be unanswered at once. Default 1,024. */
  window?: number;
  /** An answer that takes longer makes the outcome unknown. Default 5 s. */
  timeoutMs?: number;
}

interface Waiter {
  subject: string;
  resolve(outcome: PublishOutcome): void;
  deadline: number;
}

export class Publisher {
  readonly #connection: NatsConnection;
  readonly #clock: Clock;
  readonly #inbox: string;
  readonly #window: number;
  readonly #timeoutMs: number;
  readonly #unanswered = new Unanswered<Waiter>();
  #cancelSweep: (() => void) | undefined;
  #room: { promise: Promise<void>; open(): void } | undefined;
  #closed: Error | undefined;

  constructor(connection: NatsConnection, clock: Clock, options: PublisherOptions = {}) {
    this.#connection = connection;
    this.#clock = clock;
    this.#window = options.window ?? 1_024;
    this.#timeoutMs = options.timeoutMs ?? 5_000;
    this.#inbox = `${createInbox()}.`;
    connection.subscribe(`${this.#inbox}*`, {
      callback: (error, message) => {
        if (error === null) this.#onAnswer(message);
      },
    });
    void this.#hearRefusals();
    void connection.closed().then((error) => this.#close(error || new Error("the connection was closed")));
  }

  get window(): PublishWindow {
    return { unanswered: this.#unanswered.size, size: this.#window };
  }

  /** Undefined when there is room for another publish, else a promise of it. */
  ready(): Promise<void> | undefined {
    if (this.#unanswered.size < this.#window || this.#closed !== undefined) return undefined;
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
    return new Promise((resolve) => {
      if (this.#closed !== undefined) {
        resolve(unknown(this.#closed));
        return;
      }
      const deadline = this.#clock.monotonic() + this.#timeoutMs;
      const id = this.#unanswered.add({ subject, resolve, deadline });
      this.#cancelSweep ??= this.#clock.after(this.#timeoutMs / 4, () => this.#sweep());
      try {
        this.#connection.publish(subject, body, { headers, reply: this.#inbox + id.toString(36) });
      } catch (error) {
        const gone = this.#connection.isClosed() || this.#connection.isDraining();
        this.#answer(
          id,
          gone ? unknown(error as Error) : { kind: "refused", reason: (error as Error).message },
        );
      }
    });
  }

  #onAnswer(message: Msg): void {
    const id = Number.parseInt(message.subject.slice(this.#inbox.length), 36);
    this.#answer(id, readAck(message));
  }

  /** A publish that is not permitted has no answer: the server tells the connection, by the subject alone. */
  async #hearRefusals(): Promise<void> {
    for await (const status of this.#connection.status()) {
      if (status.type !== "error" || !(status.error instanceof errors.PermissionViolationError)) continue;
      const { operation, subject, message } = status.error;
      if (operation === "publish") this.#refuseNewest(subject, message);
    }
  }

  /** One refusal for each publish: an older one on the same subject may have been stored. */
  #refuseNewest(subject: string, reason: string): void {
    const newest = [...this.#unanswered.entries()].findLast(([, waiter]) => waiter.subject === subject);
    if (newest !== undefined) this.#answer(newest[0], { kind: "refused", reason });
  }

  #answer(id: number, outcome: PublishOutcome): void {
    const waiter = this.#unanswered.take(id);
    if (waiter === undefined) return;
    waiter.resolve(outcome);
    if (this.#room !== undefined && this.#unanswered.size <= this.#window / 2) {
      this.#room.open();
      this.#room = undefined;
    }
  }

  #sweep(): void {
    this.#cancelSweep = undefined;
    const now = this.#clock.monotonic();
    for (const [id, waiter] of this.#unanswered.entries()) {
      if (waiter.deadline > now) break;
      this.#answer(id, unknown(new Error(`no answer within ${this.#timeoutMs} ms`)));
    }
    if (this.#unanswered.size > 0)
      this.#cancelSweep = this.#clock.after(this.#timeoutMs / 4, () => this.#sweep());
  }

  #close(error: Error): void {
    this.#closed = error;
    this.#cancelSweep?.();
    for (const [id] of [...this.#unanswered.entries()]) this.#answer(id, unknown(error));
    this.#room?.open();
  }
}

const unknown = (error: Error): PublishOutcome => ({ kind: "unknown", error });

/** Headers in the form in which they are sent; the client asks for nothing but `encode`. */
export function headerBlock(headers: Readonly<Record<string, string>>, msgId?: string): MsgHdrs {
  let text = "NATS/1.0\r\n";
  if (msgId !== undefined) text += `${h.msgId}: ${msgId}\r\n`;
  for (const name in headers) text += `${name}: ${headers[name]}\r\n`;
  const block = Buffer.from(`${text}\r\n`);
  return { encode: () => block } as unknown as MsgHdrs;
}
