import { hash32 } from "./hash.js";

/**
 * The member that should hold a shard: the one with the highest score (rendezvous hashing, Thaler and
 * Ravishankar 1998). When a member comes or goes, only its own share moves. Null when there are no members.
 */
export function preferredHolder(shard: number, members: Iterable<string>): string | null {
  let best: string | null = null;
  let bestScore = -1;
  for (const member of members) {
    const score = mix(hash32(`${shard}/${member}`));
    if (score > bestScore || (score === bestScore && best !== null && member < best)) {
      best = member;
      bestScore = score;
    }
  }
  return best;
}

/** The finalizer of MurmurHash3: spreads small differences over all bits. */
function mix(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
