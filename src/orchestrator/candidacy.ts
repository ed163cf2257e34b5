/** When to try for a shard that someone else holds, or nobody. Pure: how soon we try is not a matter of safety. */
import { preferredHolder } from "../core/spread.js";

export interface Candidacy {
  self: string;
  shard: number;
  /** Null: released, or never held. */
  holder: string | null;
  /** Milliseconds for which the record has not changed, on our own monotonic clock. */
  unchangedMs: number;
  leaseDurationMs: number;
  live: readonly string[];
  isGone(id: string): boolean;
}

/** Others than the preferred one wait this much longer, in case it cannot. */
const SECOND_CHOICE_MS = 1_500;

export function shouldTry(state: Candidacy): boolean {
  const { self, shard, holder, unchangedMs, leaseDurationMs, live } = state;
  if (holder === self) return true;
  const expired = unchangedMs >= leaseDurationMs;
  const free = holder === null || state.isGone(holder) || expired;
  if (!free) return false;
  const candidates = live.filter((id) => id !== holder);
  if (preferredHolder(shard, candidates) === self) return true;
  return unchangedMs >= SECOND_CHOICE_MS + (expired && holder !== null ? leaseDurationMs : 0);
}
