/**
 * Jobs that wait for their time, by time.
 *
 * The server names the subjects of the stream, and each is a minute of one shard; so it is known which minutes have any,
 * and how many, before a single timer is read. While the subjects are few they are all asked for. A million timers may
 * have nearly as many: then a day is asked for at a time, and all of them only where the next year has too few.
 */
import { DeliverPolicy, type JetStreamClient, type JetStreamManager } from "@nats-io/jetstream";
import type { Instant } from "../core/instant.js";
import { minuteOf } from "../core/timer.js";
import { type Crowd, nextCrowds, type TimerHead, type TimerList } from "../core/timer-list.js";
import { type Names, parseTimerSubject } from "../protocol/names.js";
import { timerOf } from "../protocol/timer-message.js";
import { headersOf } from "./work.js";

const DAY_MS = 86_400_000;
const DAYS_TOGETHER = 8;
const MOST_DAYS = 366;
const FEW_SUBJECTS = 20_000;

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

  async crowds({ from, to, enough }: { from: Instant; to: Instant; enough: number }): Promise<Crowd[]> {
    const first = minuteOf(from);
    const { state } = await this.#jsm.streams.info(this.#names.timers);
    const isMany = (state.num_subjects ?? 0) > this.#fewSubjects;
    const byDay = isMany ? await this.#byDay(first, to, enough) : null;
    return byDay ?? nextCrowds(await this.#of(this.#names.allTimers), first, to, enough);
  }

  async heads(minute: Instant, after: number, limit: number): Promise<TimerHead[]> {
    const consumer = await this.#js.consumers.get(this.#names.timers, {
      filter_subjects: this.#names.timer("*", minute),
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: after + 1,
      headers_only: true,
    });
    const found: TimerHead[] = [];
    try {
      if ((await consumer.info()).num_pending === 0) return found;
      const messages = await consumer.consume({ max_messages: limit });
      for await (const message of messages) {
        const headers = headersOf(message.headers);
        found.push({ ...timerOf(headers, message.seq, minute), headers });
        if (found.length >= limit || message.info.pending === 0) break;
      }
      await messages.close();
      return found;
    } finally {
      // It would go by itself, but not for minutes.
      await consumer.delete().catch(() => {});
    }
  }

  /** Null: the days that were looked at have too few. */
  async #byDay(from: Instant, to: Instant, enough: number): Promise<Crowd[] | null> {
    const crowds: Crowd[] = [];
    for (let days = 0; days < MOST_DAYS; days += DAYS_TOGETHER) {
      const starts = Array.from({ length: DAYS_TOGETHER }, (_, i) => from + (days + i) * DAY_MS);
      const found = await Promise.all(
        starts.filter((at) => at - DAY_MS < to).map((at) => this.#of(this.#names.timersOn("*", at))),
      );
      crowds.push(...found.flat());
      const next = nextCrowds(crowds, from, to, enough);
      const sum = next.reduce((total, { count }) => total + count, 0);
      if (sum >= enough || from + (days + DAYS_TOGETHER - 1) * DAY_MS > to) return next;
    }
    return null;
  }

  async #of(subjects: string): Promise<Crowd[]> {
    const { state } = await this.#jsm.streams.info(this.#names.timers, { subjects_filter: subjects });
    return Object.entries(state.subjects ?? {}).map(([subject, count]) => ({
      minute: parseTimerSubject(subject) ?? 0,
      count,
    }));
  }
}
