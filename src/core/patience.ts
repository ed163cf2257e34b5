/**
 * How much longer than its time an answer is waited for, which may have got lost: by how late answers were before, as TCP
 * waits for an acknowledgement (RFC 6298).
 */
const LEAST_MS = 50;
const MOST_MS = 2_500;
/** Before there was any answer. */
const FIRST_MS = 1_000;
const GAIN = 1 / 8;
const VARIATION_GAIN = 1 / 4;

export class Patience {
  #late: number | undefined;
  #variation = 0;
  /** In a row: it may be that we do not wait long enough. */
  #missing = 0;

  get ms(): number {
    const usual = this.#late === undefined ? FIRST_MS : this.#late + 4 * this.#variation;
    return Math.min(MOST_MS, Math.max(LEAST_MS, usual) * 2 ** this.#missing);
  }

  /** An answer came so long after its time. */
  noteAnswer(lateMs: number): void {
    this.#missing = 0;
    if (this.#late === undefined) {
      this.#late = lateMs;
      this.#variation = lateMs / 2;
      return;
    }
    this.#variation += VARIATION_GAIN * (Math.abs(this.#late - lateMs) - this.#variation);
    this.#late += GAIN * (lateMs - this.#late);
  }

  noteMissing(): void {
    this.#missing++;
  }
}
