/** What the parts tell, as metrics for Prometheus. What can be asked for is asked at the scrape. */
import { Registry } from "prom-client";
import type { PublishWindow } from "../core/figures.js";
import type { Report } from "../core/lease.js";
import type { AnomalyKind } from "../core/slot-audit.js";
import type {
  AttemptEnd,
  IntakeOutcome,
  Survey,
  Telemetry,
  TermOutcome,
  TermStart,
} from "../core/telemetry.js";
import { BoundedLabel } from "./bounded.js";
import { type Families, familiesIn } from "./families.js";
import { ProcessFigures } from "./process-figures.js";

/** An orchestrator, from outside. */
export interface Holder {
  readonly held: readonly number[];
  readonly isOver: boolean;
}

const MOST_CLASSES = 20;
const MOST_QUEUES = 200;
const MOST_REASONS = 20;

export class Metrics implements Telemetry {
  readonly #registry = new Registry();
  readonly #of: Families = familiesIn(this.#registry);
  readonly #classes = new BoundedLabel(MOST_CLASSES);
  readonly #queues = new BoundedLabel(MOST_QUEUES);
  readonly #reasons = new BoundedLabel(MOST_REASONS);
  readonly #holders = new Set<Holder>();
  readonly #windows = new Set<() => PublishWindow>();
  readonly #process = new ProcessFigures();

  constructor(version: string) {
    this.#of.buildInfo.set({ version, node: process.version }, 1);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Every metric by name, with its type, meaning and labels. */
  async catalogue(): Promise<{ name: string; type: string; help: string }[]> {
    const all = await this.#registry.getMetricsAsJSON();
    return all.map(({ name, type, help }) => ({ name, type: String(type), help }));
  }

  /** The page that Prometheus reads. */
  async scrape(): Promise<string> {
    const { shards, windowUsed, windowSize } = this.#of;
    for (const holder of this.#holders) if (holder.isOver) this.#holders.delete(holder);
    shards.set(sum([...this.#holders].map(({ held }) => held.length)));
    const windows = [...this.#windows].map((window) => window());
    windowUsed.set(sum(windows.map(({ unanswered }) => unanswered)));
    windowSize.set(sum(windows.map(({ size }) => size)));
    this.#process.put(this.#of);
    return this.#registry.metrics();
  }

  /** Counts the shards of an orchestrator at each scrape, until it is over. */
  watchShards(holder: Holder): void {
    this.#holders.add(holder);
  }

  /** Asked at each scrape until the returned function is called. */
  watchWindow(window: () => PublishWindow): () => void {
    this.#windows.add(window);
    return () => void this.#windows.delete(window);
  }

  stop(): void {
    this.#process.stop();
  }

  fired(scheduleClass: string, isCatchUp: boolean, latenessMs: number): void {
    const trigger = isCatchUp ? "catch-up" : "schedule";
    this.#of.fires.inc({ trigger });
    this.#of.fireLateness.observe({ class: this.#classes.of(scheduleClass), trigger }, secondsOf(latenessMs));
  }

  reported(outcome: Report["outcome"], slots: number): void {
    const { skips, misses, expiries } = this.#of;
    ({ skipped: skips, missed: misses, expired: expiries })[outcome].inc(slots);
  }

  ticked(elapsedMs: number): void {
    this.#of.ticks.observe(secondsOf(elapsedMs));
  }

  termBegan(how: TermStart): void {
    this.#of.terms.inc();
    if (how === "taken over") this.#of.takeovers.inc();
  }

  termEnded(reason: TermOutcome): void {
    this.#of.termEnds.inc({ reason });
  }

  tookIn(outcome: IntakeOutcome): void {
    this.#of.intake.inc({ outcome });
  }

  buried(queue: string, reason: string): void {
    this.#of.buried.inc({ queue: this.#queues.of(queue), reason: this.#reasons.of(reason) });
  }

  anomalyFound(kind: AnomalyKind | "lost"): void {
    this.#of.anomalies.inc({ kind });
  }

  clockMeasured(offsetMs: number): void {
    this.#of.clockOffset.set(offsetMs / 1_000);
  }

  surveyed(survey: Survey | null): void {
    const { waiting, inFlight, oldestAge, deadLetters } = this.#of;
    for (const family of [waiting, inFlight, oldestAge, deadLetters]) family.reset();
    if (survey === null) return;
    for (const { queue, lane, oldestAgeMs, ...jobs } of survey.queues) {
      const labels = { queue: this.#queues.of(queue), lane };
      waiting.inc(labels, jobs.waiting);
      inFlight.inc(labels, jobs.inFlight);
      oldestAge.set(labels, secondsOf(oldestAgeMs ?? 0));
    }
    for (const [queue, count] of survey.deadLetters)
      deadLetters.inc({ queue: this.#queues.of(queue) }, count);
  }

  alertsOpen(counts: ReadonlyMap<string, number> | null): void {
    this.#of.alertsActive.reset();
    for (const [kind, count] of counts ?? []) this.#of.alertsActive.set({ kind }, count);
  }

  attemptBegan(queue: string, latenessMs: number | null): void {
    const labels = { queue: this.#queues.of(queue) };
    this.#of.attempts.inc(labels);
    this.#of.inProgress.inc(labels);
    if (latenessMs !== null) this.#of.startLateness.observe(labels, secondsOf(latenessMs));
  }

  attemptEnded(queue: string, outcome: AttemptEnd, elapsedMs: number): void {
    const labels = { queue: this.#queues.of(queue) };
    this.#of.inProgress.dec(labels);
    this.#of.runDuration.observe({ ...labels, outcome }, secondsOf(elapsedMs));
    if (outcome === "failed") this.#of.failures.inc(labels);
  }

  expired(queue: string): void {
    this.#of.expiredRuns.inc({ queue: this.#queues.of(queue) });
  }
}

/** Clocks of two machines differ: what seems to be early is on time. */
const secondsOf = (ms: number): number => Math.max(0, ms) / 1_000;
const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
