/**
 * Runs that are not over. All that have begun are known; of those that wait there is no end, so of them only so many, divided
 * fairly among the schedules, or queues, whose they are: of each the oldest, which are what rules look for.
 */
import type { Instant } from "./instant.js";
import type { RunState } from "./run.js";

export interface OpenRun {
  runId: string;
  scheduleId: string | null;
  queue: string | null;
  trigger: string | null;
  fireTime: Instant | null;
  startedAt: Instant | null;
  queuedAt: Instant | null;
  /** Of its message in WORK. */
  seq: number | null;
  state: RunState;
  /** When its next attempt is due. */
  nextAt: Instant | null;
}

/** Whose it is, among all that crowd. */
export const ownerOf = ({ scheduleId, queue }: Pick<OpenRun, "scheduleId" | "queue">): string =>
  scheduleId === null ? `queue.${queue}` : `schedule.${scheduleId}`;

const MOST_WAITING = 20_000;

export class OpenRuns {
  readonly #most: number;
  readonly #runs = new Map<string, OpenRun>();
  readonly #crowds = new Map<string, Crowd>();
  #waiting = 0;

  /** @param most of those that wait */
  constructor(most = MOST_WAITING) {
    this.#most = most;
  }

  get(runId: string): OpenRun | undefined {
    return this.#runs.get(runId);
  }

  values(): Iterable<OpenRun> {
    return this.#runs.values();
  }

  put(run: OpenRun): void {
    const known = this.#runs.get(run.runId);
    const wasWaiting = known !== undefined && isWaiting(known);
    const isWhereItWas = wasWaiting && isWaiting(run) && ownerOf(known) === ownerOf(run);
    if (wasWaiting && !isWhereItWas) this.#leave(known);
    if (!isWaiting(run) || isWhereItWas || this.#enter(run)) this.#runs.set(run.runId, run);
    else this.#runs.delete(run.runId);
  }

  delete(runId: string): void {
    const known = this.#runs.get(runId);
    if (known !== undefined && isWaiting(known)) this.#leave(known);
    this.#runs.delete(runId);
  }

  /** Whether there is room among those that wait. */
  #enter(run: OpenRun): boolean {
    const owner = ownerOf(run);
    if (this.#waiting >= this.#most && !this.#makeRoom(owner)) return false;
    const crowd = this.#crowds.get(owner) ?? new Crowd();
    this.#crowds.set(owner, crowd);
    crowd.add(run.runId);
    this.#waiting++;
    return true;
  }

  #leave(run: OpenRun): void {
    const owner = ownerOf(run);
    const crowd = this.#crowds.get(owner);
    crowd?.delete(run.runId);
    if (crowd?.size === 0) this.#crowds.delete(owner);
    this.#waiting--;
  }

  /** The newest of the largest crowd goes; not for one that has its share. */
  #makeRoom(owner: string): boolean {
    const own = this.#crowds.get(owner)?.size ?? 0;
    const owners = this.#crowds.size + (own === 0 ? 1 : 0);
    if (own + 1 > this.#most / owners) return false;
    let largest: Crowd | undefined;
    for (const crowd of this.#crowds.values()) if (crowd.size > (largest?.size ?? 0)) largest = crowd;
    const newest = largest?.newest();
    if (newest === undefined) return false;
    this.delete(newest);
    return true;
  }
}

const isWaiting = ({ startedAt }: OpenRun): boolean => startedAt === null;

/** Ids in the order in which they came. */
class Crowd {
  readonly #ids = new Set<string>();
  /** Also such as have gone since. */
  #order: string[] = [];

  get size(): number {
    return this.#ids.size;
  }

  add(id: string): void {
    this.#ids.add(id);
    this.#order.push(id);
    if (this.#order.length > 2 * this.#ids.size + 16) this.#order = [...this.#ids];
  }

  delete(id: string): void {
    this.#ids.delete(id);
  }

  newest(): string | undefined {
    for (let id = this.#order.at(-1); id !== undefined; id = this.#order.at(-1)) {
      if (this.#ids.has(id)) return id;
      this.#order.pop();
    }
    return undefined;
  }
}
