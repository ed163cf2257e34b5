/**
 * The messages that somebody was done with last. The server delivers one again of whose acknowledgement it has not heard, as
 * when the connection broke, or that it has forgotten, as when it was killed: then it is only acknowledged again.
 */
import type { Delivery } from "./ports.js";

type Message = Pick<Delivery, "seq" | "storedAt">;

/** At least so many are remembered, at most twice as many. */
const REMEMBERED = 10_000;

export class Finished {
  /** When they were stored, by sequence; a stream that is made anew has the same sequences again. */
  #newer = new Map<number, number>();
  #older = new Map<number, number>();

  add({ seq, storedAt }: Message): void {
    this.#newer.set(seq, storedAt);
    if (this.#newer.size < REMEMBERED) return;
    this.#older = this.#newer;
    this.#newer = new Map();
  }

  has({ seq, storedAt }: Message): boolean {
    return (this.#newer.get(seq) ?? this.#older.get(seq)) === storedAt;
  }
}
