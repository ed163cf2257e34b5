/** Instants at which many schedules fire at once. */
import type { FireTimes, Instant } from "../schedule.js";
import type { Finding } from "./finding.js";

const DAY_MS = 86_400_000;
/** Fire times of one schedule that are looked at; a line of every minute meets all others anyway. */
const MOST_TIMES = 48;
/** Instants told: what is crowded every hour is crowded at many. */
const MOST_FINDINGS = 3;
const MOST_NAMES = 3;

/** A schedule with its fire times. */
export interface Fires {
  id: string;
  times: FireTimes;
}

/** The most crowded instants of the day after `now` at which `least` schedules or more fire, the worst first. */
export function collisionsOf(schedules: Iterable<Fires>, now: Instant, least = 50): Finding[] {
  const crowds = new Map<Instant, { count: number; names: string[] }>();
  for (const { id, times } of schedules) {
    let at = times.next(now);
    for (let looked = 0; at !== null && at <= now + DAY_MS && looked < MOST_TIMES; looked++) {
      const crowd = crowds.get(at) ?? { count: 0, names: [] };
      crowd.count++;
      if (crowd.names.length < MOST_NAMES) crowd.names.push(id);
      crowds.set(at, crowd);
      at = times.next(at);
    }
  }
  const worst = [...crowds].filter(([, { count }]) => count >= least);
  worst.sort(([a, one], [b, other]) => other.count - one.count || a - b);
  return worst.slice(0, MOST_FINDINGS).map(([at, { count, names }]) => ({
    code: "collision",
    message: `${count} schedules fire at ${new Date(at).toISOString()}, among them ${names.join(", ")}; H in place of a minute spreads them`,
  }));
}
