/** What RUNS tells of the past, for those who look back. */
import type { Report } from "./lease.js";
import type { Instant } from "./schedule.js";

/** An event as it was stored. */
export interface PastEvent {
  type: string;
  at: Instant;
  data: Readonly<Record<string, unknown>>;
}

/** What became of slots of one schedule, as far as RUNS remembers. */
export interface Outcomes {
  /** Slots that were fired, each with the sequence of its message in WORK where it is known. */
  fired: ReadonlyMap<Instant, number | null>;
  /** Slots that were skipped, missed or expired. */
  reports: readonly Report[];
}

export interface RunHistory {
  /** The events of a run, the oldest first. From the leader. */
  events(runId: string): Promise<PastEvent[]>;
  /**
   * The newest event of a run; null when there is none. From the leader.
   *
   * @param types only of these; each is a question to the server. Default: all
   */
  lastEvent(runId: string, types?: readonly string[]): Promise<PastEvent | null>;
  /** The message id of the last job that the server tells to have stored under this subject of WORK. From the leader. */
  lastQueued(workSubject: string): Promise<{ msgId: string | undefined } | null>;
  /**
   * What became of the schedule's slots, of all that was told since an instant of the server's clock.
   *
   * @param sought reading ends when this slot was found to be fired
   */
  outcomes(schedule: { id: string; shard: number }, since: Instant, sought?: Instant): Promise<Outcomes>;
}

export function reportOn(outcomes: Outcomes, slot: Instant): Report | undefined {
  return outcomes.reports.find(({ from, to }) => from <= slot && slot <= to);
}
