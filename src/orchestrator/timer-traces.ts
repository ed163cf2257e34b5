/**
 * What RUNS tells of timers that were fired: the server may have forgotten their message ids, and one that was killed even
 * that it removed them.
 */
import { SKEW_MS } from "../core/instant.js";
import type { RunHistory } from "../core/lookback.js";
import type { Clock, StoredMessage } from "../core/ports.js";
import type { RunsReader, ToldMessage } from "../core/runs-reader.js";
import type { Instant } from "../core/schedule.js";
import { minuteOf, type Timer } from "../core/timer.js";
import { decodeFired } from "../protocol/fired-record.js";
import { headers as h } from "../protocol/headers.js";
import type { Names } from "../protocol/names.js";
import { isUntoldKey, parseJobSubject } from "../protocol/subjects.js";
import { fireTimeOf, firingIdOf } from "../protocol/timer-message.js";

export interface TimerTracePorts {
  history: Pick<RunHistory, "lastQueued" | "lastEvent">;
  reader: RunsReader;
  names: Names;
  clock: Pick<Clock, "now">;
}

type Headers = StoredMessage["headers"];

/** By run and fire time, the most attempts that a job had behind it when it was queued. */
type Fired = ReadonlyMap<string, number>;

const text = new TextDecoder();

export class TimerTraces {
  readonly #ports: TimerTracePorts;
  readonly #fired = new ReadOnce<Fired>((queue, since) => this.#readFired(queue, since));
  /** Sequences of timers of whose jobs the server tells nothing. */
  readonly #untold = new ReadOnce<ReadonlySet<number>>((queue, since) => this.#readUntold(queue, since));

  constructor(ports: TimerTracePorts) {
    this.#ports = ports;
  }

  /** Whether it was fired, before this was asked for its queue for the first time. */
  async wasFired(timer: Timer, { headers, storedAt }: StoredMessage): Promise<boolean> {
    const { history, clock, names } = this.#ports;
    if (timer.at > clock.now() + SKEW_MS) return false;
    const place = parseJobSubject(headers[h.subject] ?? "");
    if (place === null) return false;
    const { queue, lane, key } = place;
    const since = minuteOf(timer.at) - SKEW_MS;
    const isUntold = isUntoldKey(key, timer.runId);
    if (isUntold && (await this.#untold.of(queue, since)).has(timer.seq)) return true;
    // By way of a gate it was told of like others.
    const last = await history.lastQueued(names.job(queue, isUntold ? timer.runId : key, lane));
    if (last?.msgId === firingIdOf(timer)) return true;
    if (headers[h.scheduleId] !== undefined) return this.#hasNews(timer, headers, storedAt);
    // With a key it may have been put elsewhere.
    if (last === null && headers[h.key] === undefined) return false;
    const before = (await this.#fired.of(queue, since)).get(keyOf(timer, headers));
    return before !== undefined && before >= attemptsBefore(headers);
  }

  /** The server tells of no job that a schedule fired. Their ids are used once, so any later news of the run will do. */
  async #hasNews({ runId }: Timer, headers: Headers, storedAt: Instant): Promise<boolean> {
    const last = await this.#ports.history.lastEvent(runId);
    if (last === null || last.at <= storedAt) return false;
    return last.type !== "retried" || Number(last.data.attempt) > attemptsBefore(headers);
  }

  async #readFired(queue: string, since: Instant): Promise<Fired> {
    const { names } = this.#ports;
    const fired = new Map<string, number>();
    await this.#read(names.queued(names.jobsOf(queue)), since, ({ headers }) => {
      if (headers[h.fireTime] === undefined) return;
      const key = `${headers[h.runId]}@${headers[h.fireTime]}`;
      fired.set(key, Math.max(fired.get(key) ?? 0, attemptsBefore(headers)));
    });
    return fired;
  }

  async #readUntold(queue: string, since: Instant): Promise<ReadonlySet<number>> {
    const fired = new Set<number>();
    await this.#read(this.#ports.names.fired(queue), since, ({ body }) => {
      for (const seq of decodeFired(text.decode(body))) fired.add(seq);
    });
    return fired;
  }

  async #read(subject: string, since: Instant, onMessage: (message: ToldMessage) => void): Promise<void> {
    const { reader } = this.#ports;
    const { first: from, last: to } = await reader.bounds();
    await reader.read({ from, to, since, subject }, onMessage);
  }
}

/** What RUNS tells of a queue, kept for those who ask next; read anew for a time before it. */
class ReadOnce<T> {
  readonly #read: (queue: string, since: Instant) => Promise<T>;
  readonly #known = new Map<string, { since: Instant; told: Promise<T> }>();

  constructor(read: (queue: string, since: Instant) => Promise<T>) {
    this.#read = read;
  }

  of(queue: string, since: Instant): Promise<T> {
    const known = this.#known.get(queue);
    if (known !== undefined && known.since <= since) return known.told;
    const told = this.#read(queue, since);
    this.#known.set(queue, { since, told });
    told.catch(() => this.#known.delete(queue));
    return told;
  }
}

const keyOf = (timer: Timer, headers: Headers): string => `${timer.runId}@${fireTimeOf(timer, headers)}`;

const attemptsBefore = (headers: Headers): number => Number(headers[h.attemptsBefore] ?? 0);
