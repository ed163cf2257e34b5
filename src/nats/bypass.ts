/**
 * What comes into a queue past its gate.
 *
 * - Of jobs the server tells when it has stored them (see `toldByServer`).
 * - Of fires nobody does, at once and one by one. So they are heard as they are published. Where each has a subject of its
 *   own, it is stored, now or when WORK has room. Where runs of a schedule share one, many are refused: there the server is
 *   asked whose the subject is. When it is nobody's, the run may be done already, and is taken for stored. What was refused
 *   may be published again and again, so each is told of once.
 */
import type { JetStreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { lanes } from "../core/lane.js";
import type { Subscription } from "../core/ports.js";
import { hasPassedGate } from "../protocol/gate-message.js";
import { headers as h } from "../protocol/headers.js";
import { type Names, parseInstantToken } from "../protocol/names.js";
import { Few } from "./few.js";

const QUESTIONS_AT_ONCE = 16;
const REMEMBERED = 10_000;

export interface BypassPorts {
  connection: NatsConnection;
  jsm: JetStreamManager;
  names: Names;
}

export class Bypass implements Subscription {
  readonly #ports: BypassPorts;
  readonly #bypassed: () => void;
  readonly #few = new Few(QUESTIONS_AT_ONCE);
  /** Message ids. */
  readonly #told = new Set<string>();
  #subscriptions: { unsubscribe(): void }[] = [];
  #isStopped = false;

  /** @param bypassed is called once for each message */
  constructor(ports: BypassPorts, bypassed: () => void) {
    this.#ports = ports;
    this.#bypassed = bypassed;
  }

  start(queue: string): this {
    const { names } = this.#ports;
    this.#subscriptions = lanes.flatMap((lane) => [
      this.#listen(names.queued(names.job(queue, "*", lane)), () => this.#bypassed()),
      this.#listen(names.fire(queue, "*", "*", lane), (subject, msgId) => void this.#onFire(subject, msgId)),
    ]);
    return this;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
  }

  #listen(subject: string, heard: (subject: string, msgId: string) => void): { unsubscribe(): void } {
    return this.#ports.connection.subscribe(subject, {
      callback: (error, message) => {
        const msgId = error === null ? (message.headers?.last(h.msgId) ?? "") : "";
        if (error === null && !hasPassedGate(msgId)) heard(message.subject, msgId);
      },
    });
  }

  async #onFire(subject: string, msgId: string): Promise<void> {
    const place = subject.slice(subject.lastIndexOf(".") + 1);
    if (this.#told.has(msgId)) return;
    const hasOwnSubject = parseInstantToken(place) !== null;
    const isStored = hasOwnSubject || (await this.#few.run(() => this.#isStored(subject, msgId)));
    if (!isStored || this.#isStopped || this.#told.has(msgId)) return;
    this.#remember(msgId);
    this.#bypassed();
  }

  #remember(msgId: string): void {
    if (msgId !== "") this.#told.add(msgId);
    const [oldest] = this.#told;
    if (this.#told.size > REMEMBERED && oldest !== undefined) this.#told.delete(oldest);
  }

  async #isStored(subject: string, msgId: string): Promise<boolean> {
    const { jsm, names } = this.#ports;
    if (this.#isStopped) return false;
    try {
      const stored = await jsm.streams.getMessage(names.work, { last_by_subj: subject });
      return stored === null || stored.header.last(h.msgId) === msgId;
    } catch {
      return true;
    }
  }
}
