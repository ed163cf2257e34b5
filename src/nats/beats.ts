/** Heartbeats: `<ns>.heartbeat.<name>`, of which a stream keeps the last of each. */
import type { JetStreamManager } from "@nats-io/jetstream";
import { PunctualError } from "../core/errors.js";
import type { BeatStore } from "../core/heartbeat.js";
import type { Instant } from "../core/instant.js";
import type { Names } from "../protocol/names.js";
import { reasonOf } from "./ack.js";
import type { Publisher } from "./publisher.js";

export class NatsBeatStore implements BeatStore {
  readonly #jsm: JetStreamManager;
  readonly #publisher: Publisher;
  readonly #names: Names;

  constructor(jsm: JetStreamManager, publisher: Publisher, names: Names) {
    this.#jsm = jsm;
    this.#publisher = publisher;
    this.#names = names;
  }

  async beat(name: string): Promise<void> {
    const subject = this.#names.heartbeat(name);
    await this.#publisher.ready();
    const outcome = await this.#publisher.publish(subject, {}, new Uint8Array());
    if (outcome.kind !== "stored")
      throw new PunctualError("unavailable", `${subject}: the beat was not stored (${reasonOf(outcome)})`);
  }

  async last(name: string): Promise<Instant | null> {
    const query = { last_by_subj: this.#names.heartbeat(name) };
    const message = await this.#jsm.streams.getMessage(this.#names.heartbeats, query);
    return message === null ? null : message.time.getTime();
  }
}
