/**
 * What RUNS tells of timers that were fired: the server may have forgotten their message ids, and one that was killed even
 * that it removed them.
 */
import { SKEW_MS } from "../core/instant.js";
import type { RunHistory } from "../core/lookback.js";
import type { StoredMessage } from "../core/ports.js";
import type { RunsReader } from "../core/runs-reader.js";
import type { Instant } from "../core/schedule.js";
import { minuteOf, type Timer } from "../core/timer.js";
import { headers as h } from "../protocol/headers.js";
import { type Names, parseJobSubject } from "../protocol/names.js";
import { fireTimeOf, firingIdOf } from "../protocol/timer-message.js";

export interface TimerTracePorts {
  history: Pick<RunHistory, "lastQueued" | "lastEvent">;
  reader: RunsReader;
  names: Names;
}

type Headers = StoredMessage["headers"];

/** By run and fire time, the most attempts that a job had behind it when it was queued. */
type Fired = ReadonlyMap<string, number>;

export class TimerTraces {
  readonly #ports: TimerTracePorts;
  /** Of each queue that was asked for. */
  readonly #fired = new Map<string, { since: Instant; fired: Promise<Fired> }>();

  constructor(ports: TimerTracePorts) {
    this.#ports = ports;
  }

  /** Whether it was fired, before this was asked for its queue for the first time. */
  async wasFired(timer: Timer, { headers, storedAt }: StoredMessage): Promise<boolean> {
    const { history } = this.#ports;
    const subject = headers[h.subject] ?? "";
    const last = await history.lastQueued(subject);
    if (last?.msgId === firingIdOf(timer)) return true;
    if (headers[h.scheduleId] !== undefined) return this.#hasNews(timer, headers, storedAt);
    const queue = parseJobSubject(subject)?.queue;
    // With a key it may have been put elsewhere.
    if (queue === undefined || (last === null && headers[h.key] === undefined)) return false;
    const before = (await this.#firedOf(queue, minuteOf(timer.at) - SKEW_MS)).get(keyOf(timer, headers));
    return before !== undefined && before >= attemptsBefore(headers);
  }

  /** The server tells of no job that a schedule fired. Their ids are used once, so any later news of the run will do. */
  async #hasNews({ runId }: Timer, headers: Headers, storedAt: Instant): Promise<boolean> {
    const last = await this.#ports.history.lastEvent(runId);
    if (last === null || last.at <= storedAt) return false;
    return last.type !== "retried" || Number(last.data.attempt) > attemptsBefore(headers);
  }

  #firedOf(queue: string, since: Instant): Promise<Fired> {
    const known = this.#fired.get(queue);
    if (known !== undefined && known.since <= since) return known.fired;
    const fired = this.#read(queue, since);
    this.#fired.set(queue, { since, fired });
    fired.catch(() => this.#fired.delete(queue));
    return fired;
  }

  async #read(queue: string, since: Instant): Promise<Fired> {
    const { reader, names } = this.#ports;
    const { first: from, last: to } = await reader.bounds();
    const fired = new Map<string, number>();
    const subject = names.queued(names.jobsOf(queue));
    await reader.read({ from, to, since, subject }, ({ headers }) => {
      if (headers[h.fireTime] === undefined) return;
      const key = `${headers[h.runId]}@${headers[h.fireTime]}`;
      fired.set(key, Math.max(fired.get(key) ?? 0, attemptsBefore(headers)));
    });
    return fired;
  }
}

const keyOf = (timer: Timer, headers: Headers): string => `${timer.runId}@${fireTimeOf(timer, headers)}`;

const attemptsBefore = (headers: Headers): number => Number(headers[h.attemptsBefore] ?? 0);
