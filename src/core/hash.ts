/** FNV-1a, 32 bit, over UTF-16 code units: stable across processes and versions; not for secrets. */
export function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash ^= text.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  return hash >>> 0;
}

/** The shard of a schedule id. Never changes for a given shard count. */
export function shardOf(id: string, shards: number): number {
  return hash32(id) % shards;
}

/** The finalizer of MurmurHash3: spreads small differences over all bits. */
export function mix(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
