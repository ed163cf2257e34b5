/**
 * What the server knows of every consumer of a stream, asked for so that it has time for everything else.
 *
 * Servers before 2.9.15 count what waits for a consumer whenever they are asked, subject by subject through the whole
 * stream, and answer nothing else on the connection meanwhile: 0.2 s for 200,000 jobs in WORK, for each consumer of a
 * queue that nobody works on. A list of three hundred of them kept renewals of leases waiting for a minute. Such servers
 * are asked for one consumer after another, and left alone in between for longer than it took them.
 */
import type { ConsumerInfo, JetStreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { PunctualError } from "../core/errors.js";
import type { Clock } from "../core/ports.js";
import { consumerNames } from "./consumer-names.js";
import { Few } from "./few.js";
import { isMissing } from "./refusal.js";
import { isOlder, serverFacts } from "./server-check.js";

const COUNTS_BY_THE_WAY_SINCE = "2.9.15";
/** Faster than that, there was nothing to count. */
const COSTLY_MS = 10;
/** Times as long as it took. */
const PAUSE = 4;
/** An answer that takes longer would be no answer. */
const AT_ONCE_MS = 2_000;

export class ConsumerInfos {
  readonly #connection: NatsConnection;
  readonly #jsm: JetStreamManager;
  readonly #stream: string;
  readonly #clock: Clock;
  readonly #turns = new Few(1);

  constructor(connection: NatsConnection, jsm: JetStreamManager, stream: string, clock: Clock) {
    this.#connection = connection;
    this.#jsm = jsm;
    this.#stream = stream;
    this.#clock = clock;
  }

  /** For those who can wait: with such a server it may take minutes. */
  async *all(): AsyncGenerator<ConsumerInfo, void, undefined> {
    if (!this.#isSlow) return yield* this.#jsm.consumers.list(this.#stream);
    for (const name of await consumerNames(this.#connection, this.#stream)) {
      const info = await this.#turns.run(() => this.#patiently(name));
      if (info !== null) yield info;
    }
  }

  /**
   * For those who wait for an answer.
   *
   * @throws unavailable when such a server has too much to count
   */
  async *atOnce(): AsyncGenerator<ConsumerInfo, void, undefined> {
    if (!this.#isSlow) return yield* this.#jsm.consumers.list(this.#stream);
    const askedAt = this.#clock.monotonic();
    for (const name of await consumerNames(this.#connection, this.#stream)) {
      if (this.#clock.monotonic() - askedAt > AT_ONCE_MS) throw tooSlow(this.#connection);
      const info = await this.#ask(name);
      if (info !== null) yield info;
    }
  }

  get #isSlow(): boolean {
    return isOlder(serverFacts(this.#connection).version, COUNTS_BY_THE_WAY_SINCE);
  }

  async #patiently(name: string): Promise<ConsumerInfo | null> {
    const askedAt = this.#clock.monotonic();
    try {
      return await this.#ask(name);
    } finally {
      const tookMs = this.#clock.monotonic() - askedAt;
      if (tookMs > COSTLY_MS) await this.#pause(tookMs * PAUSE);
    }
  }

  /** Null when it was removed meanwhile. */
  async #ask(name: string): Promise<ConsumerInfo | null> {
    try {
      return await this.#jsm.consumers.info(this.#stream, name);
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#clock.after(ms, resolve));
  }
}

function tooSlow(connection: NatsConnection): PunctualError {
  const { version } = serverFacts(connection);
  const text = `nats-server ${version} takes too long to count the jobs of all queues; ask for one queue, or upgrade the server to ${COUNTS_BY_THE_WAY_SINCE} or newer`;
  return new PunctualError("unavailable", text);
}
