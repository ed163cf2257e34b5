/** Jobs that wait for their time, by time, in memory. */
import type { Instant } from "../core/instant.js";
import { minuteOf } from "../core/timer.js";
import { type Crowd, nextCrowds, type TimerHead, type TimerList } from "../core/timer-list.js";
import { parseTimerSubject } from "../protocol/names.js";
import { timerOf } from "../protocol/timer-message.js";
import type { MemoryLink } from "./link.js";
import type { MemoryServer } from "./server.js";

export class MemoryTimerList implements TimerList {
  readonly #server: MemoryServer;
  readonly #link: MemoryLink;

  constructor(server: MemoryServer, link: MemoryLink) {
    this.#server = server;
    this.#link = link;
  }

  crowds({ from, to, enough }: { from: Instant; to: Instant; enough: number }): Promise<Crowd[]> {
    return this.#link.ask("crowds of timers", () => {
      const all = [...this.#server.timers.messages()];
      const crowds = all.map(({ subject }) => ({ minute: parseTimerSubject(subject) ?? 0, count: 1 }));
      return nextCrowds(crowds, minuteOf(from), to, enough);
    });
  }

  heads(minute: Instant, after: number, limit: number): Promise<TimerHead[]> {
    return this.#link.ask("heads of timers", () =>
      [...this.#server.timers.messages()]
        .filter(({ seq, subject }) => seq > after && parseTimerSubject(subject) === minute)
        .sort((a, b) => a.seq - b.seq)
        .slice(0, limit)
        .map(({ seq, headers }) => ({ ...timerOf(headers, seq, minute), headers })),
    );
  }
}
