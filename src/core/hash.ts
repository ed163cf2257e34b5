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
