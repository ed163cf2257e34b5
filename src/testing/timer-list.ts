/** Jobs that wait for their time, by time, in memory. */
import {
  type Crowd,
  type CrowdRange,
  nextCrowds,
  type TimerHead,
  type TimerList,
} from "../core/timer-list.js";
import { parseTimerSubject, shardOfTimer } from "../protocol/subjects.js";
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

  crowds(range: CrowdRange): Promise<Crowd[]> {
    return this.#link.ask("crowds of timers", () => {
      const { timers } = this.#server;
      const all = [...timers.subjects()].map((subject) => ({
        minute: parseTimerSubject(subject) ?? 0,
        shard: shardOfTimer(subject),
        count: timers.of(subject).length,
      }));
      return nextCrowds(all, range);
    });
  }

  heads({ minute, shard }: Crowd, after: number, limit: number): Promise<TimerHead[]> {
    const { timers, names } = this.#server;
    return this.#link.ask("heads of timers", () =>
      timers
        .of(names.timer(shard, minute))
        .filter(({ seq }) => seq > after)
        .slice(0, limit)
        .map(({ seq, headers }) => ({ ...timerOf(headers, seq, minute), headers })),
    );
  }
}
