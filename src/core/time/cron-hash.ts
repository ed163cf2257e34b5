/**
 * Hashed values: `H` stands for a value that depends on nothing but the seed, the schedule's id, and the field.
 * So schedules that say "once an hour, whenever" do not all fire at the full hour, and none of them ever moves.
 * The notation is that of Jenkins.
 */
import { hash32 } from "../hash.js";

/**
 * One of `places`, from 0, for a seed in a field. Never changes: a schedule would move.
 * The bits are mixed once more (the finalizer of MurmurHash3), as ids often differ in their last letter only.
 */
export function hashedPlace(seed: string, field: string, places: number): number {
  let hash = hash32(`${seed} ${field}`);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % places;
}

/** Without a step one value of the range; with one, every such value from a hashed start. */
export function hashedItem(
  seed: string,
  field: string,
  range: { from: number; to: number; step?: number | undefined },
): string {
  const { from, to, step } = range;
  if (step === undefined) return String(from + hashedPlace(seed, field, to - from + 1));
  return `${from + hashedPlace(seed, field, step)}-${to}/${step}`;
}
