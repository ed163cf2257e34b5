/**
 * Jobs that wait for their time, by time.
 *
 * The server names the subjects of the stream, and each is a minute of one shard; so it is known which minutes have any,
 * and how many, before a single timer is read. While the subjects are few they are all asked for. A million timers may
 * have nearly as many, and nats-server 2.9 takes 2 s for 300,000: then a day is asked for, which takes a tenth of a second,
 * then some more, and all of them only where the next week has too few.
 *
 * Timers are read subject by subject: for a wildcard the server goes through all subjects again.
 */
import { DeliverPolicy, type JetStreamClient, type JetStreamManager } from "@nats-io/jetstream";
import {
  type Crowd,
  type CrowdRange,
  nextCrowds,
  type TimerHead,
  type TimerList,
} from "../core/timer-list.js";
import type { Names } from "../protocol/names.js";
import { parseTimerSubject, shardOfTimer } from "../protocol/subjects.js";
import { timerOf } from "../protocol/timer-message.js";
import { scan } from "./scan.js";
import { headersOf, storedMessage } from "./work.js";

const DAY_MS = 86_400_000;
/** Days that are asked for, one set after the other. */
const DAYS = [[0], [1, 2], [3, 4, 5, 6]];
const FEW_SUBJECTS = 20_000;
/** So few are read one by one, with their bodies, rather than by a consumer. */
const FEW_TIMERS = 4;

export class NatsTimerList implements TimerList {
  readonly #js: JetStreamClient;
  readonly #jsm: JetStreamManager;
  readonly #names: Names;
  readonly #fewSubjects: number;

  constructor(js: JetStreamClient, jsm: JetStreamManager, names: Names, fewSubjects = FEW_SUBJECTS) {
    this.#js = js;
    this.#jsm = jsm;
    this.#names = names;
    this.#fewSubjects = fewSubjects;
  }

  async crowds(range: CrowdRange): Promise<Crowd[]> {
    const { state } = await this.#jsm.streams.info(this.#names.timers);
    const isMany = (state.num_subjects ?? 0) > this.#fewSubjects;
    const byDay = isMany ? await this.#byDay(range) : null;
    return byDay ?? nextCrowds(await this.#of(this.#names.allTimers), range);
  }

  heads(crowd: Crowd, after: number, limit: number): Promise<TimerHead[]> {
    const most = Math.min(crowd.count, limit);
    return most <= FEW_TIMERS ? this.#oneByOne(crowd, after, most) : this.#consumed(crowd, after, limit);
  }

  async #oneByOne({ minute, shard }: Crowd, after: number, most: number): Promise<TimerHead[]> {
    const found: TimerHead[] = [];
    const next_by_subj = this.#names.timer(shard, minute);
    for (let seq = after + 1; found.length < most; ) {
      const query = { seq, next_by_subj };
      const message = await this.#jsm.streams.getMessage(this.#names.timers, query);
      const stored = storedMessage(message);
      if (stored === null) break;
      found.push({ ...timerOf(stored.headers, stored.seq, minute), headers: stored.headers });
      seq = stored.seq + 1;
    }
    return found;
  }

  async #consumed({ minute, shard }: Crowd, after: number, limit: number): Promise<TimerHead[]> {
    const from = {
      filter_subjects: this.#names.timer(shard, minute),
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: after + 1,
      headers_only: true,
    };
    const found: TimerHead[] = [];
    await scan({ js: this.#js, stream: this.#names.timers, from, ahead: limit }, (message) => {
      const headers = headersOf(message.headers);
      found.push({ ...timerOf(headers, message.seq, minute), headers });
      return found.length >= limit;
    });
    return found;
  }

  /** Null: the days that were looked at have too few. */
  async #byDay(range: CrowdRange): Promise<Crowd[] | null> {
    const crowds: Crowd[] = [];
    for (const days of DAYS) {
      const starts = days.map((day) => range.from + day * DAY_MS);
      const found = await Promise.all(starts.map((at) => this.#of(this.#names.timersOn("*", at))));
      crowds.push(...found.flat());
      const next = nextCrowds(crowds, range);
      const sum = next.reduce((total, { count }) => total + count, 0);
      if (sum >= range.enough || (starts.at(-1) as number) > range.to) return next;
    }
    return null;
  }

  async #of(subjects: string): Promise<Crowd[]> {
    const { state } = await this.#jsm.streams.info(this.#names.timers, { subjects_filter: subjects });
    return Object.entries(state.subjects ?? {}).map(([subject, count]) => ({
      minute: parseTimerSubject(subject) ?? 0,
      shard: shardOfTimer(subject),
      count,
    }));
  }
}
