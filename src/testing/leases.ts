/** Lease records in memory. */
import type { LeaseRecord } from "../core/lease.js";
import type {
  CasOutcome,
  LeaseHint,
  LeaseStore,
  StoredMessage,
  Subscription,
  Versioned,
} from "../core/ports.js";
import { decodeLease, encodeLease } from "../protocol/stored.js";
import { compareAndSwap, textOf } from "./cas.js";
import { type MemoryLink, subscription } from "./link.js";
import type { MemoryServer } from "./server.js";

export class MemoryLeaseStore implements LeaseStore {
  readonly #server: MemoryServer;
  readonly #link: MemoryLink;

  constructor(server: MemoryServer, link: MemoryLink) {
    this.#server = server;
    this.#link = link;
  }

  read(shard: number): Promise<Versioned<LeaseRecord> | null> {
    const key = this.#server.names.leaseKey(shard);
    return this.#link.ask("lease", () => {
      const message = this.#server.leases.last(key);
      return message && { value: decodeLease(textOf(message), key), revision: message.seq };
    });
  }

  write(shard: number, record: LeaseRecord, revision: number): Promise<CasOutcome> {
    const fault = this.#server.faults.leaseWrite?.(shard, record);
    const write = {
      stream: this.#server.leases,
      key: this.#server.names.leaseKey(shard),
      text: encodeLease(record),
      revision,
    };
    return compareAndSwap(this.#server, this.#link, write, fault);
  }

  async watch(onChange: (hint: LeaseHint) => void): Promise<Subscription> {
    const { leases } = this.#server;
    const feed = this.#link.feed(() => this.#server.faults.watchDelayMs?.("leases") ?? 0);
    const tell = (message: StoredMessage) => feed.push(() => onChange(this.#hint(message)));
    return this.#link.ask("watch leases", () => {
      for (const message of leases.messages()) tell(message);
      const end = leases.onStored(tell);
      return subscription(this.#link, () => {
        feed.stop();
        end();
      });
    });
  }

  #hint(message: StoredMessage): LeaseHint {
    const shard = Number(message.subject.slice(this.#server.names.leaseKeyPrefix.length));
    const { holder, term } = decodeLease(textOf(message), message.subject);
    return { shard, holder, term, revision: message.seq };
  }
}
