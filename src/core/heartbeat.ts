/** Expected heartbeats, also called dead man's switches: jobs that run elsewhere say that they ran, and silence is told. */
import type { Instant } from "./instant.js";
import type { CronSpec } from "./schedule.js";
import { compileSpec } from "./time/fire-times.js";

/** So long after the last beat, or after each fire time of a cron line. */
export type Rhythm = { kind: "interval"; everyMs: number } | CronSpec;

export interface Heartbeat {
  name: string;
  rhythm: Rhythm;
  /** How much later than expected a beat may come. */
  graceMs: number;
  /** When it was defined as it is, by the server's clock: nothing is expected from before. */
  since: Instant;
  /** For people. */
  description?: string | undefined;
}

/** The last beat of each name, whether anybody expects it or not. */
export interface BeatStore {
  /** Resolves when it is stored. */
  beat(name: string): Promise<void>;
  /** By the server's clock, from its leader; null: there never was one. */
  last(name: string): Promise<Instant | null>;
}

/** When the next beat is expected after the last one; null: never. @throws invalid for a cron line that is none */
export function expectedAfter({ rhythm, name, since }: Heartbeat, last: Instant | null): Instant | null {
  const from = Math.max(last ?? since, since);
  return rhythm.kind === "interval" ? from + rhythm.everyMs : compileSpec(rhythm, name).next(from);
}

/** @param expected see `expectedAfter` @param now by the server's clock */
export function isMissing({ graceMs }: Heartbeat, expected: Instant | null, now: Instant): boolean {
  return expected !== null && now > expected + graceMs;
}
