import type { LeaseRecord } from "../core/lease.js";
import type { LeaseStore } from "../core/ports.js";

/** Of every shard, as they are now; null: it was never held. */
export function leaseRecords(leases: LeaseStore, shards: number): Promise<(LeaseRecord | null)[]> {
  const all = Array.from({ length: shards }, (_, shard) => shard);
  return Promise.all(all.map(async (shard) => (await leases.read(shard))?.value ?? null));
}
