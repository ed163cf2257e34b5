/** Jobs that wait for their time, in memory. */
import type { PublishOutcome, StoredMessage, Subscription, WorkMessage } from "../core/ports.js";
import type { Instant } from "../core/schedule.js";
import { minuteOf, type Timer, type TimerStore } from "../core/timer.js";
import { headers as h } from "../protocol/headers.js";
import { parseTimerSubject } from "../protocol/subjects.js";
import { timerOf } from "../protocol/timer-message.js";
import { type MemoryLink, subscription } from "./link.js";
import type { MemoryServer } from "./server.js";

export class MemoryTimerStore implements TimerStore {
  readonly #server: MemoryServer;
  readonly #link: MemoryLink;

  constructor(server: MemoryServer, link: MemoryLink) {
    this.#server = server;
    this.#link = link;
  }

  put({ subject, msgId, headers, body }: WorkMessage): Promise<PublishOutcome> {
    const message = { subject, headers: { [h.msgId]: msgId, ...headers }, body };
    const store = (): PublishOutcome => {
      const answer = this.#server.store(this.#server.timers, message);
      return answer.kind === "wrong last sequence" ? { kind: "refused", reason: answer.kind } : answer;
    };
    return this.#link.request(store, this.#server.faults.timer?.(message), (error) => ({
      kind: "unknown",
      error,
    }));
  }

  ready(): undefined {
    return undefined;
  }

  watch(shard: number, onTimer: (timer: Timer) => void): Promise<Subscription> {
    const prefix = this.#server.names.timersOf(shard).slice(0, -1);
    const feed = this.#link.feed(() => this.#server.faults.watchDelayMs?.("timers") ?? 0);
    return this.#link.ask("watch timers", () => {
      const end = this.#server.timers.onStored((message) => {
        if (message.subject.startsWith(prefix)) feed.push(() => onTimer(toTimer(message)));
      });
      return subscription(this.#link, () => {
        feed.stop();
        end();
      });
    });
  }

  minutes(shard: number): Promise<Instant[]> {
    const { timers, names } = this.#server;
    const prefix = names.timersOf(shard).slice(0, -1);
    return this.#link.ask("minutes of timers", () =>
      [...timers.subjects()]
        .filter((subject) => subject.startsWith(prefix))
        .map((subject) => parseTimerSubject(subject) ?? 0)
        .sort((a, b) => a - b),
    );
  }

  of(shard: number, minute: Instant): Promise<Timer[]> {
    const { timers, names } = this.#server;
    return this.#link.ask("timers", () => timers.of(names.timer(shard, minuteOf(minute))).map(toTimer));
  }

  read(seq: number): Promise<StoredMessage | null> {
    return this.#link.ask("timer", () => this.#server.timers.at(seq));
  }

  remove(seq: number): Promise<void> {
    return this.#link.ask("remove timer", () => void this.#server.timers.remove(seq));
  }
}

function toTimer({ headers, seq, subject }: StoredMessage): Timer {
  return timerOf(headers, seq, parseTimerSubject(subject) ?? 0);
}
