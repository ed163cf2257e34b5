/** Each metric moves by what it measures, and by nothing else. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { Metrics } from "../../src/http/metrics.js";
import { promtool, promtoolTest } from "../support/promtool.js";
import { metricOf, samplesOf } from "../support/samples.js";

const deadLetters = new Map([["mail", 3]]);
const queue = { queue: "mail", lane: "work", waiting: 4, inFlight: 2, oldestAgeMs: 1_500 };
const survey = { queues: [queue], deadLetters };

/** What happens, and the metrics that it moves. */
const moves: Record<string, { by(metrics: Metrics): void; metrics: string[] }> = {
  "a run is fired": {
    by: (m) => m.fired("default", false, 3),
    metrics: ["punctual_fires_total", "punctual_fire_lateness_seconds"],
  },
  "slots are skipped": { by: (m) => m.reported("skipped", 2), metrics: ["punctual_skips_total"] },
  "slots are missed": { by: (m) => m.reported("missed", 2), metrics: ["punctual_misses_total"] },
  "slots expire": { by: (m) => m.reported("expired", 2), metrics: ["punctual_expiries_total"] },
  "a tick is committed": { by: (m) => m.ticked(4), metrics: ["punctual_tick_duration_seconds"] },
  "a free shard is taken": { by: (m) => m.termBegan("free"), metrics: ["punctual_lease_terms_total"] },
  "a shard is taken over": {
    by: (m) => m.termBegan("taken over"),
    metrics: ["punctual_lease_terms_total", "punctual_takeovers_total"],
  },
  "a term ends": { by: (m) => m.termEnded("doubt"), metrics: ["punctual_lease_term_ends_total"] },
  "a job comes in": { by: (m) => m.tookIn("accepted"), metrics: ["punctual_intake_jobs_total"] },
  "a job is buried": {
    by: (m) => m.buried("mail", "not retryable"),
    metrics: ["punctual_dead_letters_total"],
  },
  "a slot is found amiss": {
    by: (m) => m.anomalyFound("missing"),
    metrics: ["punctual_slot_anomalies_total"],
  },
  "breaches are open": {
    by: (m) => m.alertsOpen(new Map([["late", 2]])),
    metrics: ["punctual_alerts_active"],
  },
  "the clock is measured": {
    by: (m) => m.clockMeasured(-20),
    metrics: ["punctual_server_clock_offset_seconds"],
  },
  "the server is surveyed": {
    by: (m) => m.surveyed(survey),
    metrics: [
      "punctual_queue_waiting_jobs",
      "punctual_queue_in_flight_jobs",
      "punctual_queue_oldest_job_age_seconds",
      "punctual_dead_letters_kept",
    ],
  },
  "an orchestrator holds shards": {
    by: (m) => m.watchShards({ held: [1, 2], isOver: false }),
    metrics: ["punctual_shards_held"],
  },
  "a connection publishes": {
    by: (m) => void m.watchWindow(() => ({ unanswered: 5, size: 1_024 })),
    metrics: ["punctual_publish_window_unanswered", "punctual_publish_window_size"],
  },
  "a first attempt begins": {
    by: (m) => m.attemptBegan("mail", 12),
    metrics: ["punctual_attempts_total", "punctual_runs_in_progress", "punctual_start_lateness_seconds"],
  },
  "a later attempt begins": {
    by: (m) => m.attemptBegan("mail", null),
    metrics: ["punctual_attempts_total", "punctual_runs_in_progress"],
  },
  "an attempt succeeds": {
    by: (m) => m.attemptEnded("mail", "succeeded", 40),
    metrics: ["punctual_run_duration_seconds", "punctual_runs_in_progress"],
  },
  "an attempt fails": {
    by: (m) => m.attemptEnded("mail", "failed", 40),
    metrics: ["punctual_run_duration_seconds", "punctual_runs_in_progress", "punctual_failures_total"],
  },
  "a run is too late": { by: (m) => m.expired("mail"), metrics: ["punctual_runs_expired_total"] },
};

/** These are what they are, whatever happens. */
const ofTheProcess = [
  "punctual_event_loop_lag_seconds",
  "punctual_build_info",
  "process_cpu_seconds_total",
  "process_resident_memory_bytes",
  "process_start_time_seconds",
];

function made(): Metrics {
  const metrics = new Metrics("1.2.3");
  onTestFinished(() => metrics.stop());
  return metrics;
}

async function moved(metrics: Metrics, by: () => void): Promise<string[]> {
  const names = new Set((await metrics.catalogue()).map(({ name }) => name));
  const before = samplesOf(await metrics.scrape());
  by();
  const after = samplesOf(await metrics.scrape());
  const changed = [...after].filter(([sample, value]) => before.get(sample) !== value);
  return [...new Set(changed.map(([sample]) => metricOf(sample, names)))]
    .filter((name) => !ofTheProcess.includes(name))
    .sort();
}

describe("metrics", () => {
  for (const [what, { by, metrics: expected }] of Object.entries(moves)) {
    it(`move when ${what}`, async () => {
      const metrics = made();
      expect(await moved(metrics, () => by(metrics))).toEqual([...expected].sort());
    });
  }

  it("have one move each, at least", async () => {
    const names = (await made().catalogue()).map(({ name }) => name);
    const tested = new Set([...Object.values(moves).flatMap(({ metrics }) => metrics), ...ofTheProcess]);
    expect([...tested].sort()).toEqual(names.sort());
  });

  it("tell of the process", async () => {
    const samples = samplesOf(await made().scrape());
    expect(samples.get(`punctual_build_info{version="1.2.3",node="${process.version}"}`)).toBe(1);
    expect(samples.get("process_cpu_seconds_total")).toBeGreaterThan(0);
    expect(samples.get("process_resident_memory_bytes")).toBeGreaterThan(1e6);
    expect(samples.get("process_start_time_seconds")).toBeCloseTo(performance.timeOrigin / 1_000);
    for (const at of ["p50", "p99", "max"])
      expect(samples.get(`punctual_event_loop_lag_seconds{at="${at}"}`)).toBeGreaterThanOrEqual(0);
  });

  it("are seconds, whatever the parts count in", async () => {
    const metrics = made();
    metrics.fired("payroll", true, 1_500);
    metrics.surveyed(survey);
    metrics.clockMeasured(-250);
    const samples = samplesOf(await metrics.scrape());
    const labels = 'class="payroll",trigger="catch-up"';
    expect(samples.get(`punctual_fire_lateness_seconds_sum{${labels}}`)).toBe(1.5);
    expect(samples.get(`punctual_fire_lateness_seconds_bucket{le="1",${labels}}`)).toBe(0);
    expect(samples.get(`punctual_fire_lateness_seconds_bucket{le="2.5",${labels}}`)).toBe(1);
    expect(samples.get('punctual_queue_oldest_job_age_seconds{queue="mail",lane="work"}')).toBe(1.5);
    expect(samples.get("punctual_server_clock_offset_seconds")).toBe(-0.25);
  });

  it("count no shard of an orchestrator that is over, and no queue that another counts now", async () => {
    const metrics = made();
    const orchestrator = { held: [1, 2], isOver: false };
    metrics.watchShards(orchestrator);
    metrics.surveyed(survey);
    expect(samplesOf(await metrics.scrape()).get("punctual_shards_held")).toBe(2);
    orchestrator.isOver = true;
    metrics.surveyed(null);
    const samples = samplesOf(await metrics.scrape());
    expect(samples.get("punctual_shards_held")).toBe(0);
    expect([...samples.keys()].filter((sample) => sample.startsWith("punctual_queue"))).toEqual([]);
  });

  it("keep classes, queues and reasons bounded: beyond that they are one, `other`", async () => {
    const metrics = made();
    for (let i = 0; i < 1_000; i++) {
      metrics.fired(`class-${i}`, false, 1);
      metrics.expired(`queue-${i}`);
      metrics.buried("mail", `reason-${i}`);
    }
    const samples = samplesOf(await metrics.scrape());
    expect(samples.size).toBeLessThan(1_000);
    expect(samples.get('punctual_fire_lateness_seconds_count{class="other",trigger="schedule"}')).toBe(980);
    // The queue `mail` came last.
    expect(samples.get('punctual_runs_expired_total{queue="other"}')).toBe(801);
  });

  promtoolTest("are as Prometheus wants them: promtool check metrics", async () => {
    const metrics = made();
    for (const { by } of Object.values(moves)) by(metrics);
    expect(await promtool(["check", "metrics"], await metrics.scrape())).toEqual({ status: 0, said: "" });
  });

  it("are all in the README's table, with their type, and no others", async () => {
    const readme = readFileSync(join(import.meta.dirname, "../../README.md"), "utf8");
    const rows = [...readme.matchAll(/^\| `((?:punctual|process)_\w+)`[^|]*\| (\w+) +\|/gm)];
    const documented = rows.map(([, name, type]) => `${name} ${type}`);
    const existing = (await made().catalogue()).map(({ name, type }) => `${name} ${type}`);
    expect(documented.sort()).toEqual(existing.sort());
  });
});
