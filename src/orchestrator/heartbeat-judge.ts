/**
 * Looks for heartbeats that are missing. The last beat of each is remembered and asked for again only when the next is
 * overdue, so that a beat costs nothing but its publish.
 */
import { type Breach, OF_NOTHING, type OpenBreach } from "../core/alert.js";
import { messageOf } from "../core/errors.js";
import { type BeatStore, expectedAfter, type Heartbeat, isMissing } from "../core/heartbeat.js";
import type { Instant } from "../core/schedule.js";
import type { Logger } from "../runtime/log.js";
import type { AlertBook } from "./alert-book.js";
import type { Judge, Sight } from "./alerter.js";
import { ServerTime, type ServerTimePorts } from "./server-time.js";

export interface HeartbeatJudgePorts extends ServerTimePorts {
  beats: BeatStore;
  log: Logger;
}

const HEARTBEAT_MISSING = "heartbeat.missing";

/** When the next beat of a heartbeat, as it was defined then, is expected. */
interface Known {
  heartbeat: Heartbeat;
  expected: Instant | null;
}

/** Last beats that are asked for at once. */
const AT_ONCE = 32;

export class HeartbeatJudge implements Judge {
  readonly #ports: HeartbeatJudgePorts;
  readonly #book: AlertBook;
  readonly #time: ServerTime;
  readonly #known = new Map<string, Known>();

  constructor(ports: HeartbeatJudgePorts, book: AlertBook) {
    this.#ports = ports;
    this.#book = book;
    this.#time = new ServerTime(ports);
  }

  reset(): void {
    this.#known.clear();
  }

  async look(): Promise<Sight> {
    const { heartbeats } = this.#book;
    const now = heartbeats.length === 0 ? 0 : await this.#time.now();
    const found: Breach[] = [];
    const unseen = new Set<string>();
    const lookAt = async (heartbeat: Heartbeat) => {
      try {
        return await this.#lookAt(heartbeat, now);
      } catch (error) {
        unseen.add(heartbeat.name);
        const about = { heartbeat: heartbeat.name, error: messageOf(error) };
        this.#ports.log.warn(about, "a heartbeat was not looked at: tried again");
        return null;
      }
    };
    for (let from = 0; from < heartbeats.length; from += AT_ONCE) {
      const breaches = await Promise.all(heartbeats.slice(from, from + AT_ONCE).map(lookAt));
      found.push(...breaches.filter((breach) => breach !== null));
    }
    const covers = ({ rule, target }: OpenBreach) => rule === HEARTBEAT_MISSING && !unseen.has(target);
    return { found, covers };
  }

  async #lookAt(heartbeat: Heartbeat, now: Instant): Promise<Breach | null> {
    const { beats } = this.#ports;
    const { name } = heartbeat;
    const known = this.#known.get(name);
    if (known?.heartbeat === heartbeat && !isMissing(heartbeat, known.expected, now)) return null;
    const last = await beats.last(name);
    const expected = expectedAfter(heartbeat, last);
    this.#known.set(name, { heartbeat, expected });
    return expected !== null && isMissing(heartbeat, expected, now)
      ? breachOf(heartbeat, last, expected)
      : null;
  }
}

function breachOf({ name, graceMs }: Heartbeat, last: Instant | null, expected: Instant): Breach {
  const [lastBeat, due] = [last === null ? null : iso(last), iso(expected)];
  const known = lastBeat === null ? "there was none yet" : `the last came at ${lastBeat}`;
  return {
    ...{ ...OF_NOTHING, rule: HEARTBEAT_MISSING, kind: HEARTBEAT_MISSING, target: name, heartbeat: name },
    since: expected + graceMs,
    text: `heartbeat ${name}: expected at ${due}, ${known}`,
    data: { expected: due, lastBeat },
  };
}

const iso = (at: Instant): string => new Date(at).toISOString();
