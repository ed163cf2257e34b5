import { hash32, mix } from "./hash.js";

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
