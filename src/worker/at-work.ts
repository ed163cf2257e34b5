/** The jobs that a worker has in hand, and what is done to all of them. */
import type { Clock, Delivery } from "../core/ports.js";
import type { Execution } from "./execute.js";

export class AtWork {
  readonly #clock: Clock;
  /** By sequence in WORK. */
  readonly #executions = new Map<number, Execution>();
  #onIdle: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get count(): number {
    return this.#executions.size;
  }

  /** Whether the delivery is of a job that is in hand already; then that one goes on with it. */
  adopts(delivery: Delivery): boolean {
    return this.#executions.get(delivery.seq)?.adopt(delivery) === true;
  }

  /** Resolves when the job is over. */
  async run(seq: number, execution: Execution): Promise<void> {
    this.#executions.set(seq, execution);
    await execution.run();
    if (this.#executions.get(seq) === execution) this.#executions.delete(seq);
    if (this.count === 0) this.#onIdle?.();
  }

  beat(): void {
    for (const execution of this.#executions.values()) execution.beat();
  }

  tell(): void {
    for (const execution of this.#executions.values()) execution.tell();
  }

  interrupt(): void {
    for (const execution of this.#executions.values()) execution.interrupt();
  }

  /** @returns whether the run is here */
  cancel(runId: string): boolean {
    const here = [...this.#executions.values()].filter((execution) => execution.runId === runId);
    for (const execution of here) execution.cancel();
    return here.length > 0;
  }

  /** Resolves with true as soon as nothing is in hand, with false after `ms`. */
  idleWithin(ms: number): Promise<boolean> {
    if (this.count === 0) return Promise.resolve(true);
    return new Promise((resolve) => {
      const cancel = this.#clock.after(ms, () => resolve(false));
      this.#onIdle = () => {
        cancel();
        resolve(true);
      };
    });
  }
}
