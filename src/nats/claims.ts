/** Claims of keys in their bucket, which forgets them after the longest period. */
import type { JetStreamManager } from "@nats-io/jetstream";
import type { CasOutcome, Versioned } from "../core/ports.js";
import type { Claim, ClaimStore } from "../core/unique-period.js";
import type { Names } from "../protocol/names.js";
import { decodeClaim, encodeClaim } from "../protocol/stored-claim.js";
import { compareAndSwap, readLatest } from "./cas.js";
import type { Publisher } from "./publisher.js";

export class NatsClaimStore implements ClaimStore {
  readonly #jsm: JetStreamManager;
  readonly #publisher: Publisher;
  readonly #names: Names;

  constructor(jsm: JetStreamManager, publisher: Publisher, names: Names) {
    this.#jsm = jsm;
    this.#publisher = publisher;
    this.#names = names;
  }

  async get(queue: string, key: string): Promise<Versioned<Claim> | null> {
    const { claims, claimKey } = this.#names;
    const entry = await readLatest(this.#jsm, claims, claimKey(queue, key));
    return entry === null ? null : { value: decodeClaim(entry.text), revision: entry.revision };
  }

  write(queue: string, key: string, claim: Claim, revision: number): Promise<CasOutcome> {
    const { claims, claimKey } = this.#names;
    return compareAndSwap(this.#publisher, claims, claimKey(queue, key), encodeClaim(claim), revision);
  }
}
