/** The fire times of several parts, merged. */
import type { FireTimes, Instant } from "../schedule.js";

export function unionOf(parts: readonly FireTimes[]): FireTimes {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  const remembered = parts.map((part) => new Remembered(part));
  return {
    next(instant) {
      let first: Instant | null = null;
      for (const part of remembered) {
        const next = part.next(instant);
        if (next !== null && (first === null || next < first)) first = next;
      }
      return first;
    },
  };
}

/** Remembers its last answer: it holds for every instant from the question up to the answer. */
class Remembered implements FireTimes {
  readonly #times: FireTimes;
  #asked: Instant = Number.POSITIVE_INFINITY;
  #answer: Instant | null = null;

  constructor(times: FireTimes) {
    this.#times = times;
  }

  next(instant: Instant): Instant | null {
    if (instant >= this.#asked && (this.#answer === null || instant < this.#answer)) return this.#answer;
    this.#answer = this.#times.next(instant);
    this.#asked = instant;
    return this.#answer;
  }
}
