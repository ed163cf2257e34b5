/** A set of small numbers, as bytes: that of 10,000 members is as long as a sentence. */
export class Bitmap {
  readonly size: number;
  readonly #bytes: Uint8Array;

  /** @param bytes are copied; of another length than `size` needs, they are cut or filled up */
  constructor(size: number, bytes: Uint8Array = new Uint8Array()) {
    this.size = size;
    this.#bytes = new Uint8Array(Math.ceil(size / 8));
    this.#bytes.set(bytes.subarray(0, this.#bytes.length));
  }

  has(index: number): boolean {
    return ((this.#bytes[index >> 3] ?? 0) & (1 << (index & 7))) !== 0;
  }

  /** A copy in which it is, or is not. */
  with(index: number, isIn: boolean): Bitmap {
    const copy = new Bitmap(this.size, this.#bytes);
    const byte = copy.#bytes[index >> 3];
    if (byte === undefined || index >= this.size) return copy;
    const bit = 1 << (index & 7);
    copy.#bytes[index >> 3] = isIn ? byte | bit : byte & ~bit;
    return copy;
  }

  get count(): number {
    let count = 0;
    for (let index = 0; index < this.size; index++) if (this.has(index)) count++;
    return count;
  }

  get isFull(): boolean {
    for (let index = 0; index < this.size; index++) if (!this.has(index)) return false;
    return true;
  }

  get bytes(): Uint8Array {
    return this.#bytes.slice();
  }
}
