/** A message of a consumer, as a delivery that can be settled. */
import type { Msg, NatsConnection } from "@nats-io/transport-node";
import type { Delivery } from "../core/ports.js";
import { isOlder } from "./server-check.js";
import { headersOf } from "./work.js";

/** An older server does not understand a termination that gives a reason, and keeps the message. */
const TERM_REASON_SINCE = "2.10.4";

/** A durable consumer. */
export interface Place {
  stream: string;
  consumer: string;
}

/**
 * What the reply subject of a delivery tells, in its two forms:
 *
 *   $JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<timestamp>.<pending>
 *   $JS.ACK.<domain>.<account>.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<timestamp>.<pending>[.…]
 */
function readReply(reply: string): { attempt: number; seq: number; storedAt: number } {
  const tokens = reply.split(".");
  const first = tokens.length >= 11 ? 6 : 4;
  return {
    attempt: Number(tokens[first]),
    seq: Number(tokens[first + 1]),
    storedAt: Math.floor(Number(tokens[first + 3]) / 1e6),
  };
}

/** What nearly every job is answered with, encoded once. */
const ACK = Buffer.from("+ACK");
const WORKING = Buffer.from("+WPI");

export function readDelivery(connection: NatsConnection, message: Msg): Delivery {
  return new NatsDelivery(connection, message);
}

class NatsDelivery implements Delivery {
  readonly subject: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly attempt: number;
  readonly seq: number;
  readonly storedAt: number;
  readonly #connection: NatsConnection;
  readonly #reply: string;

  constructor(connection: NatsConnection, message: Msg) {
    this.#connection = connection;
    this.#reply = message.reply ?? "";
    this.subject = message.subject;
    this.headers = headersOf(message.headers);
    this.body = message.data;
    const { attempt, seq, storedAt } = readReply(this.#reply);
    this.attempt = attempt;
    this.seq = seq;
    this.storedAt = storedAt;
  }

  ack(): void {
    this.#answer(ACK);
  }

  nak(delayMs: number): void {
    this.#answer(delayMs > 0 ? `-NAK {"delay":${Math.round(delayMs * 1e6)}}` : "-NAK");
  }

  term(reason: string): void {
    this.#answer(takesReason(this.#connection) ? `+TERM ${reason}` : "+TERM");
  }

  working(): void {
    this.#answer(WORKING);
  }

  /** On a connection that is gone there is nobody to tell: the server delivers the message again. */
  #answer(text: string | Uint8Array): void {
    if (!this.#connection.isClosed()) this.#connection.publish(this.#reply, text);
  }
}

function takesReason({ info }: NatsConnection): boolean {
  return info !== undefined && !isOlder(info.version, TERM_REASON_SINCE);
}
