/** The metrics by name, as Prometheus reads them: one place for names, meanings, labels and buckets. */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";

/** From a millisecond, which is punctual, to an hour, which is an outage. */
const LATENESS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3_600];
const DURATION = [0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600];
const TICK = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

export type Families = ReturnType<typeof familiesIn>;

export function familiesIn(registry: Registry) {
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: L[] = []) =>
    new Counter<L>({ name, help, labelNames, registers });
  const gauge = <L extends string>(name: string, help: string, labelNames: L[] = []) =>
    new Gauge<L>({ name, help, labelNames, registers });
  const histogram = <L extends string>(name: string, help: string, buckets: number[], labelNames: L[] = []) =>
    new Histogram<L>({ name, help, buckets, labelNames, registers });
  return {
    fireLateness: histogram(
      "punctual_fire_lateness_seconds",
      "From when a run was due to when the server had stored its job",
      LATENESS,
      ["class", "trigger"],
    ),
    fires: counter("punctual_fires_total", "Slots that were fired", ["trigger"]),
    skips: counter("punctual_skips_total", "Slots that were skipped"),
    misses: counter("punctual_misses_total", "Slots that were missed"),
    expiries: counter(
      "punctual_expiries_total",
      "Slots whose start deadline had passed before they could fire",
    ),
    anomalies: counter(
      "punctual_slot_anomalies_total",
      "Slots found amiss, and losses of acknowledged writes",
      ["kind"],
    ),
    ticks: histogram("punctual_tick_duration_seconds", "Time of one tick: to plan it and to commit it", TICK),
    shards: gauge("punctual_shards_held", "Shards that this process holds"),
    terms: counter("punctual_lease_terms_total", "Terms of shards that this process has begun"),
    takeovers: counter("punctual_takeovers_total", "Those whose last holder had not let go"),
    termEnds: counter("punctual_lease_term_ends_total", "Terms that ended, by how", ["reason"]),
    intake: counter("punctual_intake_jobs_total", "Jobs that came in by the front door, by outcome", [
      "outcome",
    ]),
    windowUsed: gauge("punctual_publish_window_unanswered", "Publishes to WORK that have no answer yet"),
    windowSize: gauge("punctual_publish_window_size", "How many of them there may be"),
    clockOffset: gauge("punctual_server_clock_offset_seconds", "The server's clock minus this process's"),
    waiting: gauge("punctual_queue_waiting_jobs", "Jobs that wait for a worker", ["queue", "lane"]),
    inFlight: gauge("punctual_queue_in_flight_jobs", "Jobs that workers have", ["queue", "lane"]),
    oldestAge: gauge("punctual_queue_oldest_job_age_seconds", "Age of the oldest job that is not done", [
      "queue",
      "lane",
    ]),
    deadLetters: gauge("punctual_dead_letters_kept", "Dead letters that are kept", ["queue"]),
    alertsActive: gauge("punctual_alerts_active", "Breaches of alert rules that are not over", ["kind"]),
    buried: counter("punctual_dead_letters_total", "Jobs that this process moved to the dead letters", [
      "queue",
      "reason",
    ]),
    startLateness: histogram(
      "punctual_start_lateness_seconds",
      "From the fire time to when the first attempt began",
      LATENESS,
      ["queue"],
    ),
    runDuration: histogram(
      "punctual_run_duration_seconds",
      "How long handlers took, each attempt",
      DURATION,
      ["queue", "outcome"],
    ),
    attempts: counter("punctual_attempts_total", "Attempts that were begun", ["queue"]),
    failures: counter("punctual_failures_total", "Attempts that failed", ["queue"]),
    inProgress: gauge("punctual_runs_in_progress", "Attempts that this process is at", ["queue"]),
    expiredRuns: counter("punctual_runs_expired_total", "Runs that came too late to be started", ["queue"]),
    eventLoopLag: gauge("punctual_event_loop_lag_seconds", "Delay of the event loop since the last scrape", [
      "at",
    ]),
    buildInfo: gauge("punctual_build_info", "Always 1: the versions are in the labels", ["version", "node"]),
    cpu: counter("process_cpu_seconds_total", "CPU time of the process"),
    memory: gauge("process_resident_memory_bytes", "Resident memory of the process"),
    startTime: gauge("process_start_time_seconds", "When the process was started, since the epoch"),
  };
}
