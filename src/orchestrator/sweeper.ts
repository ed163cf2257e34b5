/**
 * Removes tombstones that nothing can need any more. Done by whoever holds the first shard.
 *
 * The jobs that were cancelled by them go first: a server that is killed may have them again, as it forgets what it has
 * removed, and who cancelled one may have crashed before it was told. So when a term begins, those of all tombstones
 * are looked for.
 */
import { messageOf } from "../core/errors.js";
import type { Clock, RunLog, StoredMessage, Subscription, WorkStream } from "../core/ports.js";
import type { TimerStore } from "../core/timer.js";
import { waitingOf } from "../protocol/gate-message.js";
import { headers as h } from "../protocol/headers.js";
import { limits } from "../protocol/limits.js";
import { parseGateSubject, parseTimerSubject } from "../protocol/subjects.js";
import { timerOf } from "../protocol/timer-message.js";
import { parseTombstone } from "../protocol/tombstone.js";
import type { Logger } from "../runtime/log.js";
import { tellCancelled } from "./told-cancelled.js";

const EVERY_MS = 60_000;
const LOOK_MS = 500;

export interface SweeperPorts {
  clock: Clock;
  work: Pick<WorkStream, "at" | "remove" | "tombstones">;
  timers: Pick<TimerStore, "read" | "remove">;
  runs: Pick<RunLog, "append" | "has">;
  log: Logger;
}

export class Sweeper implements Subscription {
  readonly #ports: SweeperPorts;
  readonly #term: () => number | null;
  #sweptTerm: number | null = null;
  #sweptAt = 0;
  #cancel: () => void = () => {};
  #stopped = false;

  /** @param term in which the first shard is held here; null: it is not, now */
  constructor(ports: SweeperPorts, term: () => number | null) {
    this.#ports = ports;
    this.#term = term;
  }

  start(): this {
    this.#cancel = this.#ports.clock.after(LOOK_MS, async () => {
      await this.runOnce();
      if (!this.#stopped) this.start();
    });
    return this;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
  }

  async runOnce(): Promise<void> {
    const { clock, log } = this.#ports;
    const term = this.#term();
    const isNew = term !== this.#sweptTerm;
    if (term === null || (!isNew && clock.monotonic() - this.#sweptAt < EVERY_MS)) return;
    this.#sweptAt = clock.monotonic();
    try {
      await this.#sweep(isNew);
      this.#sweptTerm = term;
    } catch (error) {
      log.warn({ error: messageOf(error) }, "tombstones could not be looked at: tried again");
    }
  }

  async #sweep(isNew: boolean): Promise<void> {
    const { clock, work, log } = this.#ports;
    const oldest = clock.now() - limits.tombstoneAgeMs;
    let removed = 0;
    for (const tombstone of await work.tombstones(isNew ? undefined : oldest)) {
      await this.#removeJobOf(tombstone);
      if (tombstone.storedAt >= oldest) continue;
      await work.remove(tombstone.seq);
      removed++;
    }
    if (removed > 0) log.debug({ removed }, "removed old tombstones");
  }

  async #removeJobOf({ subject, headers }: StoredMessage): Promise<void> {
    const { work, timers, runs } = this.#ports;
    const job = parseTombstone(subject);
    if (job === null) return;
    const { runId, at, seq } = job;
    const stored = await (at === "timers" ? timers.read(seq) : work.at(seq));
    if (stored === null || runOf(stored) !== runId) return;
    if (headers[h.reason] === "cancelled" && !(await runs.has(runId, "cancelled")))
      await tellCancelled(runs, job, at === "timers" ? timerOf(stored.headers, seq, 0).at : undefined);
    await (at === "timers" ? timers : work).remove(seq);
  }
}

/** The run of a message that waits; sequences begin anew when a stream is made anew, so it may be any. */
function runOf(stored: StoredMessage): string | null {
  if (parseTimerSubject(stored.subject) !== null) return timerOf(stored.headers, stored.seq, 0).runId;
  return parseGateSubject(stored.subject) === null ? null : waitingOf(stored).runId;
}
