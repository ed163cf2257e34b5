/**
 * The lease of one term: its record, how long it can be trusted, and the one way to write it.
 *
 *   trusted until = start of the last successful write + lease duration − margin, on the monotonic clock
 *
 * That limit only decides how soon we stop trying. Safety rests on the writes alone.
 */
import type { LeaseRecord } from "../core/lease.js";
import type { Clock, LeaseStore, Versioned } from "../core/ports.js";
import { Doubt } from "./doubt.js";
import type { OrchestratorSettings } from "./options.js";

export interface TenurePorts {
  clock: Clock;
  leases: LeaseStore;
  settings: OrchestratorSettings;
  newNonce(): string;
}

export class Tenure {
  readonly #ports: TenurePorts;
  readonly #shard: number;
  #record: LeaseRecord;
  #revision: number;
  /** Monotonic time at which the last successful write was begun. */
  #renewedAt: number;
  #renewal: Promise<void> | undefined;

  constructor(ports: TenurePorts, shard: number, lease: Versioned<LeaseRecord>, startedAt: number) {
    this.#ports = ports;
    this.#shard = shard;
    this.#record = lease.value;
    this.#revision = lease.revision;
    this.#renewedAt = startedAt;
  }

  get record(): LeaseRecord {
    return this.#record;
  }

  get isTrusted(): boolean {
    const { leaseDuration, leaseMargin } = this.#ports.settings;
    return this.#ports.clock.monotonic() < this.#renewedAt + leaseDuration - leaseMargin;
  }

  /** Milliseconds until the lease is to be renewed; not positive when it is time. */
  get untilRenewal(): number {
    return this.#renewedAt + this.#ports.settings.leaseDuration / 3 - this.#ports.clock.monotonic();
  }

  /**
   * Writes the next record. False when another holder has written.
   *
   * @throws Doubt when the write was not answered
   */
  async write(record: LeaseRecord): Promise<boolean> {
    const startedAt = this.#ports.clock.monotonic();
    const outcome = await this.#ports.leases.write(this.#shard, record, this.#revision);
    if (outcome.kind === "unknown") {
      throw new Doubt(`a lease write was not answered: ${outcome.error.message}`);
    }
    if (outcome.kind === "lost") return false;
    this.#record = record;
    this.#revision = outcome.revision;
    this.#renewedAt = startedAt;
    return true;
  }

  /** A long settlement renews the lease without changing what it says; many ask, one writes. */
  keepAlive(): Promise<void> {
    if (this.#renewal === undefined && this.untilRenewal <= 0) {
      this.#renewal = this.#renew().finally(() => {
        this.#renewal = undefined;
      });
    }
    return this.settled();
  }

  /** Resolves when no renewal is under way. */
  settled(): Promise<void> {
    return this.#renewal ?? Promise.resolve();
  }

  async #renew(): Promise<void> {
    const kept = await this.write({ ...this.#record, nonce: this.#ports.newNonce() });
    if (!kept) throw new Doubt("another holder has written during the settlement");
  }
}
