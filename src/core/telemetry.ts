/**
 * What the parts tell of themselves while they work, for whoever measures. Nothing depends on it: it must not throw,
 * and must cost next to nothing where nobody listens.
 */
import type { QueueFigures } from "./figures.js";
import type { Report } from "./lease.js";
import type { AnomalyKind } from "./slot-audit.js";

/** How a shard came to be held. `taken over`: its holder had not let go of it. */
export type TermStart = "free" | "taken over";
export type TermOutcome = "released" | "lost" | "doubt";

/** What became of a job at the front door. */
export type IntakeOutcome = "accepted" | "skipped" | "invalid" | "full";

export interface OrchestratorTelemetry {
  /**
   * A run's message is stored in WORK.
   *
   * @param scheduleClass see `classOf`
   * @param latenessMs from when it was due to when the server told that it was stored
   */
  fired(scheduleClass: string, isCatchUp: boolean, latenessMs: number): void;
  /** Slots ended without a fire, and RUNS was told. */
  reported(outcome: Report["outcome"], slots: number): void;
  /** A tick was committed. */
  ticked(elapsedMs: number): void;
  termBegan(how: TermStart): void;
  termEnded(how: TermOutcome): void;
  tookIn(outcome: IntakeOutcome): void;
  /** A job was moved to the dead letters. */
  buried(queue: string, reason: string): void;
  /** A slot is amiss, or acknowledged writes are lost. */
  anomalyFound(kind: AnomalyKind | "lost"): void;
  /** The server's clock minus ours, as it was measured last. */
  clockMeasured(offsetMs: number): void;
  /** All queues and dead letters, as the server counts them; null: somebody else asks from now on. */
  surveyed(survey: Survey | null): void;
  /** Breaches that are open, by kind; null: somebody else keeps them from now on. */
  alertsOpen(counts: ReadonlyMap<string, number> | null): void;
}

export interface Survey {
  queues: readonly QueueFigures[];
  /** By queue. */
  deadLetters: ReadonlyMap<string, number>;
}

export type AttemptEnd = "succeeded" | "failed" | "cancelled" | "interrupted";

export interface WorkerTelemetry {
  /** @param latenessMs from the fire time to the first attempt; null when no schedule fired it, or for a later attempt */
  attemptBegan(queue: string, latenessMs: number | null): void;
  attemptEnded(queue: string, end: AttemptEnd, elapsedMs: number): void;
  /** A run came too late to be started. */
  expired(queue: string): void;
  buried(queue: string, reason: string): void;
}

export type Telemetry = OrchestratorTelemetry & WorkerTelemetry;

const nothing = (): void => {};

export const silentTelemetry: Telemetry = {
  fired: nothing,
  reported: nothing,
  ticked: nothing,
  termBegan: nothing,
  termEnded: nothing,
  tookIn: nothing,
  buried: nothing,
  anomalyFound: nothing,
  clockMeasured: nothing,
  surveyed: nothing,
  alertsOpen: nothing,
  attemptBegan: nothing,
  attemptEnded: nothing,
  expired: nothing,
};

/** The label by which the lateness of schedules is told apart. */
export const CLASS_LABEL = "class";

/** The class of a schedule: what its label `class` says, else `default`. */
export function classOf({ labels }: { labels?: Readonly<Record<string, string>> | undefined }): string {
  return labels?.[CLASS_LABEL] ?? "default";
}
