/** Takes keys for a period, and gives back those whose jobs were not let in after all. */
import { PunctualError } from "../core/errors.js";
import type { Clock } from "../core/ports.js";
import { type ClaimStore, mayClaim } from "../core/unique-period.js";

/** A key, and who wants it for how long. */
export interface Wish {
  queue: string;
  key: string;
  runId: string;
  forMs: number;
}

const TRIES = 10;

export class Claims {
  readonly #claims: ClaimStore;
  readonly #clock: Pick<Clock, "now">;

  constructor(claims: ClaimStore, clock: Pick<Clock, "now">) {
    this.#claims = claims;
    this.#clock = clock;
  }

  /**
   * Has a job let in, unless another one has its key. One that was not let in gives its key back; when nobody knows
   * whether it was, the key stays taken: the same job can be asked for again.
   */
  async within<T extends { accepted: boolean }>(wish: Wish, letIn: () => Promise<T>): Promise<T | null> {
    const revision = await this.#take(wish);
    if (revision === null) return null;
    try {
      const outcome = await letIn();
      if (!outcome.accepted) await this.#giveBack(wish, revision);
      return outcome;
    } catch (error) {
      if (!(error instanceof PunctualError && error.code === "timeout")) await this.#giveBack(wish, revision);
      throw error;
    }
  }

  /** The revision of the claim; null: another job has the key. */
  async #take({ queue, key, runId, forMs }: Wish): Promise<number | null> {
    for (let tries = 0; tries < TRIES; tries++) {
      const existing = await this.#claims.get(queue, key);
      const now = this.#clock.now();
      if (!mayClaim(existing?.value ?? null, runId, now)) return null;
      // Asked for again, it does not begin anew.
      if (existing !== null && existing.value.runId === runId && existing.value.until > now)
        return existing.revision;
      const claim = { runId, until: now + forMs };
      const outcome = await this.#claims.write(queue, key, claim, existing?.revision ?? 0);
      if (outcome.kind === "stored") return outcome.revision;
    }
    throw new PunctualError("conflict", `${key}: the key is being taken by others; try again`);
  }

  /** A claim that is over is as good as none. Whoever has taken it since keeps it. */
  async #giveBack({ queue, key, runId }: Wish, revision: number): Promise<void> {
    await this.#claims.write(queue, key, { runId, until: 0 }, revision);
  }
}
