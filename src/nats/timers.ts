/** Jobs that wait for their time, in their stream. */
import { DeliverPolicy, type JetStreamClient, type JetStreamManager, type JsMsg } from "@nats-io/jetstream";
import type { PublishOutcome, StoredMessage, Subscription, WorkMessage } from "../core/ports.js";
import type { Instant } from "../core/schedule.js";
import { minuteOf, type Timer, type TimerStore } from "../core/timer.js";
import type { Names } from "../protocol/names.js";
import { parseTimerSubject } from "../protocol/subjects.js";
import { timerOf } from "../protocol/timer-message.js";
import { headerBlock, type Publisher } from "./publisher.js";
import { scan } from "./scan.js";
import type { SingleMessages } from "./single-messages.js";
import { headersOf } from "./work.js";

/** Of one read of a minute. */
const BATCH = 5_000;

interface TimerStoreParts {
  js: JetStreamClient;
  jsm: JetStreamManager;
  publisher: Publisher;
  /** Of TIMERS. */
  messages: SingleMessages;
  names: Names;
}

export class NatsTimerStore implements TimerStore {
  readonly #js: JetStreamClient;
  readonly #jsm: JetStreamManager;
  readonly #publisher: Publisher;
  readonly #names: Names;
  readonly #messages: SingleMessages;

  constructor({ js, jsm, publisher, messages, names }: TimerStoreParts) {
    this.#js = js;
    this.#jsm = jsm;
    this.#publisher = publisher;
    this.#messages = messages;
    this.#names = names;
  }

  put({ subject, msgId, headers, body }: WorkMessage): Promise<PublishOutcome> {
    return this.#publisher.send(subject, headerBlock(headers, msgId), body);
  }

  ready(): Promise<void> | undefined {
    return this.#publisher.ready();
  }

  async watch(shard: number, onTimer: (timer: Timer) => void): Promise<Subscription> {
    const consumer = await this.#js.consumers.getPushConsumer(this.#names.timers, {
      filter_subjects: this.#names.timersOf(shard),
      deliver_policy: DeliverPolicy.New,
      headers_only: true,
    });
    const messages = await consumer.consume({ callback: (message) => onTimer(toTimer(message)) });
    return { stop: async () => void (await messages.close()) };
  }

  async minutes(shard: number): Promise<Instant[]> {
    const query = { subjects_filter: this.#names.timersOf(shard) };
    const { state } = await this.#jsm.streams.info(this.#names.timers, query);
    const minutes = Object.keys(state.subjects ?? {}).map((subject) => parseTimerSubject(subject));
    return minutes.filter((minute) => minute !== null).sort((a, b) => a - b);
  }

  /** A reader may be served by a server that is behind: it is done when it has seen the leader's last. */
  async of(shard: number, minute: Instant): Promise<Timer[]> {
    const subject = this.#names.timer(shard, minuteOf(minute));
    for (;;) {
      const last = await this.#lastOf(subject);
      if (last === null) return [];
      const timers = await this.#read(subject);
      if ((timers.at(-1)?.seq ?? 0) >= last) return timers;
    }
  }

  read(seq: number): Promise<StoredMessage | null> {
    return this.#messages.read(seq);
  }

  remove(seq: number): Promise<void> {
    return this.#messages.remove(seq);
  }

  /** nats-server 2.9 knows no last message of a subject when a later one was removed: then it is no earlier than the first. */
  async #lastOf(subject: string): Promise<number | null> {
    const { streams } = this.#jsm;
    const last = await streams.getMessage(this.#names.timers, { last_by_subj: subject });
    if (last !== null) return last.seq;
    const query = { seq: 1, next_by_subj: subject };
    const first = await streams.getMessage(this.#names.timers, query);
    return first?.seq ?? null;
  }

  async #read(subject: string): Promise<Timer[]> {
    const from = { filter_subjects: subject, deliver_policy: DeliverPolicy.All, headers_only: true };
    const found: Timer[] = [];
    await scan({ js: this.#js, stream: this.#names.timers, from, ahead: BATCH }, (message) => {
      found.push(toTimer(message));
      return false;
    });
    return found;
  }
}

function toTimer(message: JsMsg): Timer {
  return timerOf(headersOf(message.headers), message.seq, parseTimerSubject(message.subject) ?? 0);
}
