/** What WORK shows of runs that nobody told the end of: whether they are still there, and handed out. */
import type { Clock, WorkStream } from "../core/ports.js";
import type { QueueConsumers } from "../core/queue.js";
import { isOver, type Run } from "../core/run.js";
import type { RunFact } from "../core/run-fact.js";
import type { Instant } from "../core/schedule.js";
import { runIdOfMessage } from "../protocol/run-id.js";
import { parseJobSubject } from "../protocol/subjects.js";

export interface SightingPorts {
  clock: Clock;
  work: WorkStream;
  queueConsumers: QueueConsumers;
}

/** What was told a moment ago may be followed by what is being told. */
const SETTLED_MS = 2_000;
/** Messages of WORK that are looked at at once. */
const TOGETHER = 16;

export interface Sighting {
  /** What was seen that RUNS does not tell; null: nothing. */
  fact: RunFact | null;
  /** When WORK stored the message, if it is there. */
  storedAt: Instant | null;
}

const NOTHING: Sighting = { fact: null, storedAt: null };

export class RunSightings {
  readonly #ports: SightingPorts;

  constructor(ports: SightingPorts) {
    this.#ports = ports;
  }

  /** Those that have left WORK without a word are `unknown`. */
  async left(runs: readonly Run[]): Promise<Run[]> {
    const seen: Run[] = [];
    for (let from = 0; from < runs.length; from += TOGETHER)
      seen.push(...(await Promise.all(runs.slice(from, from + TOGETHER).map((run) => this.#leftOne(run)))));
    return seen;
  }

  async of(run: Pick<Run, "id" | "seq" | "state" | "nextAt">): Promise<Sighting> {
    const { id, seq, state } = run;
    const waits =
      state === "retrying" && run.nextAt !== null && run.nextAt + SETTLED_MS > this.#ports.clock.now();
    // Where it waits is not WORK, when it does so for long.
    if (seq === null || isOver(state) || waits) return NOTHING;
    const { work, clock } = this.#ports;
    const message = await work.at(seq);
    if (message === null || runIdOfMessage(message) !== id)
      return { fact: { kind: "gone", at: clock.now(), seq }, storedAt: null };
    const place = parseJobSubject(message.subject);
    const isOut =
      place !== null && seq <= (await this.#ports.queueConsumers.handedOut(place.queue, place.lane));
    return { fact: isOut ? { kind: "delivered", at: clock.now(), seq } : null, storedAt: message.storedAt };
  }

  async #leftOne(run: Run): Promise<Run> {
    const isNew = run.queuedAt === null || this.#ports.clock.now() - run.queuedAt < SETTLED_MS;
    if (isNew) return run;
    return (await this.of(run)).fact?.kind === "gone" ? { ...run, state: "unknown" } : run;
  }
}
