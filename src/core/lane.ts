/** The lanes of a queue, the most urgent first; `work` is where jobs go that say nothing of it. */
export const lanes = ["high", "work", "low"] as const;
export type Lane = (typeof lanes)[number];

/** What a job may ask for, and the lane of each. */
export const priorities = ["high", "normal", "low"] as const;
export type Priority = (typeof priorities)[number];

export const laneOf = (priority: Priority = "normal"): Lane => (priority === "normal" ? "work" : priority);

/** Jobs from a lane, one after another, before one from below it has its turn. */
export const TURN_EVERY = 16;

/**
 * Which lane is next: the most urgent that has something, and yet none waits for ever: after every `TURN_EVERY` jobs
 * of a lane comes one from below, if there is one.
 */
export class LaneTurns {
  readonly #inARow = new Map<Lane, number>();

  /** Null: no lane has anything. */
  next(has: (lane: Lane) => boolean): Lane | null {
    const waiting = lanes.filter(has);
    for (const [index, lane] of waiting.entries()) {
      const inARow = this.#inARow.get(lane) ?? 0;
      const isLast = index === waiting.length - 1;
      this.#inARow.set(lane, isLast ? 0 : (inARow + 1) % (TURN_EVERY + 1));
      if (isLast || inARow < TURN_EVERY) return lane;
    }
    return null;
  }
}
