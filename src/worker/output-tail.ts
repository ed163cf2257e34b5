/** The end of what a command writes, in the order in which it was read. */
export class OutputTail {
  readonly #bytes: number;
  readonly #chunks: Buffer[] = [];
  #size = 0;

  /** @param bytes how much is kept */
  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    for (
      let first = this.#chunks[0];
      first && this.#size - first.length >= this.#bytes;
      first = this.#chunks[0]
    ) {
      this.#chunks.shift();
      this.#size -= first.length;
    }
  }

  /** A character that was cut in half is left out. */
  toString(): string {
    const all = Buffer.concat(this.#chunks);
    if (all.length <= this.#bytes) return all.toString();
    let start = all.length - this.#bytes;
    while (((all[start] ?? 0) & 0xc0) === 0x80) start++;
    return all.toString("utf8", start);
  }
}
