/**
 * Many requests over one inbox.
 *
 * The client's own `request()` makes promises, a timer and error objects for each. Here the last token of a reply subject is a
 * number that finds its waiter, and one sweep looks for answers that are late. Nothing is ever sent twice.
 */
import { createInbox, errors, type Msg, type MsgHdrs, type NatsConnection } from "@nats-io/transport-node";
import type { Clock } from "../core/ports.js";
import { Unanswered } from "../core/unanswered.js";

/** Nobody answered, as while a stream has no leader. */
export class NoAnswer extends Error {}

/** What becomes of a request, as its sender would have it. */
export interface Reading<T> {
  answered(message: Msg): T;
  /** The server does not let it through, or it cannot be sent: it had no effect. */
  refused(reason: string): T;
  /** Perhaps it had an effect. */
  unanswered(error: Error): T;
}

interface Waiter<T> {
  subject: string;
  resolve(outcome: T): void;
  deadline: number;
}

export class Mailbox<T> {
  readonly #connection: NatsConnection;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #reading: Reading<T>;
  readonly #onAnswer: () => void;
  readonly #inbox = `${createInbox()}.`;
  readonly #unanswered = new Unanswered<Waiter<T>>();
  #cancelSweep: (() => void) | undefined;
  #closed: Error | undefined;

  /** @param onAnswer called after each outcome */
  constructor(
    connection: NatsConnection,
    clock: Clock,
    timeoutMs: number,
    reading: Reading<T>,
    onAnswer: () => void = () => {},
  ) {
    this.#connection = connection;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#reading = reading;
    this.#onAnswer = onAnswer;
    connection.subscribe(`${this.#inbox}*`, {
      callback: (error, message) => {
        if (error === null) this.#onMessage(message);
      },
    });
    void this.#hearRefusals();
    void connection.closed().then((error) => this.#close(error || new Error("the connection was closed")));
  }

  /** Requests that are not answered. */
  get size(): number {
    return this.#unanswered.size;
  }

  get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  /** Sends once; never rejects. */
  send(subject: string, body: Uint8Array | string, headers?: MsgHdrs): Promise<T> {
    return new Promise((resolve) => {
      if (this.#closed !== undefined) {
        resolve(this.#reading.unanswered(this.#closed));
        return;
      }
      const deadline = this.#clock.monotonic() + this.#timeoutMs;
      const id = this.#unanswered.add({ subject, resolve, deadline });
      this.#cancelSweep ??= this.#clock.after(this.#timeoutMs / 4, () => this.#sweep());
      const reply = this.#inbox + id.toString(36);
      try {
        this.#connection.publish(subject, body, headers === undefined ? { reply } : { headers, reply });
      } catch (error) {
        const gone = this.#connection.isClosed() || this.#connection.isDraining();
        const { refused, unanswered } = this.#reading;
        this.#answer(id, gone ? unanswered(error as Error) : refused((error as Error).message));
      }
    });
  }

  #onMessage(message: Msg): void {
    const id = Number.parseInt(message.subject.slice(this.#inbox.length), 36);
    this.#answer(id, this.#reading.answered(message));
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
    if (newest !== undefined) this.#answer(newest[0], this.#reading.refused(reason));
  }

  #answer(id: number, outcome: T): void {
    const waiter = this.#unanswered.take(id);
    if (waiter === undefined) return;
    waiter.resolve(outcome);
    this.#onAnswer();
  }

  #sweep(): void {
    this.#cancelSweep = undefined;
    const now = this.#clock.monotonic();
    for (const [id, waiter] of this.#unanswered.entries()) {
      if (waiter.deadline > now) break;
      this.#answer(id, this.#reading.unanswered(new NoAnswer(`no answer within ${this.#timeoutMs} ms`)));
    }
    if (this.#unanswered.size > 0)
      this.#cancelSweep = this.#clock.after(this.#timeoutMs / 4, () => this.#sweep());
  }

  #close(error: Error): void {
    this.#closed = error;
    this.#cancelSweep?.();
    for (const [id] of [...this.#unanswered.entries()]) this.#answer(id, this.#reading.unanswered(error));
  }
}
