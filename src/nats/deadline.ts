/**
 * The end of a pull request that the server does not tell.
 *
 * A request that runs out is answered with a status, but for a race in nats-server (2.9 at least): when a job is there
 * just after the time is over and before the server's timer has seen it, the request is dropped without a word. One in
 * six was, with requests of 50 ms and two jobs a millisecond. So a request is over by itself some time after.
 */
import type { Patience } from "../core/patience.js";
import type { Clock } from "../core/ports.js";

export class Deadline {
  readonly #clock: Clock;
  readonly #patience: Patience;
  readonly #dueAt: number;
  #cancel: () => void;

  /** @param onOver there was no answer in time */
  constructor(clock: Clock, patience: Patience, waitMs: number, onOver: () => void) {
    this.#clock = clock;
    this.#patience = patience;
    this.#dueAt = clock.monotonic() + waitMs;
    this.#cancel = clock.after(waitMs + patience.ms, () => {
      // A program that was busy reads what has come meanwhile first.
      this.#cancel = clock.after(1, () => {
        patience.noteMissing();
        onOver();
      });
    });
  }

  /** The request is over: it was used up, or the server said so. */
  end({ isAnswer = false } = {}): void {
    this.#cancel();
    const late = this.#clock.monotonic() - this.#dueAt;
    // Before its time it was refused.
    if (isAnswer && late >= 0) this.#patience.noteAnswer(late);
  }
}
