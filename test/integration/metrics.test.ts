/** Metrics and health of a real orchestrator and real workers, read over HTTP as Prometheus reads them. */
import { headers as natsHeaders } from "@nats-io/transport-node";
import { expect, onTestFinished, test } from "vitest";
import { connect } from "../../src/connect.js";
import { NonRetryableError } from "../../src/worker/errors.js";
import { promtool, promtoolTest } from "../support/promtool.js";
import { samplesOf } from "../support/samples.js";
import { openOn, until } from "../support/scene.js";
import { startSession } from "../support/sessions.js";
import { latch, Stage, serverOf } from "../support/stage.js";

const server = serverOf();

/** An orchestrator that can be looked at, and its page. */
async function observed() {
  const stage = await Stage.open(server());
  const orchestrator = await stage.punctual.orchestrate({ http: 0 });
  onTestFinished(() => orchestrator.stop());
  await until(() => expect(orchestrator.held).toHaveLength(2));
  const url = stage.punctual.httpUrls[0] as string;
  const page = async (path = "/metrics") => (await fetch(url + path)).text();
  const samples = async () => samplesOf(await page());
  /** Resolves when a sample is at least so much. */
  const reaches = (sample: string, least: number) =>
    until(async () => {
      const found = await samples();
      expect(found.get(sample), `${sample} among ${[...found.keys()].join("\n")}`).toBeGreaterThanOrEqual(
        least,
      );
      return found;
    });
  return { stage, orchestrator, url, page, samples, reaches };
}

test("a schedule's fires, their lateness by class, and the attempts at them are counted", async () => {
  const { stage, reaches } = await observed();
  await stage.attempts("mail");
  await stage.client.schedules.put("often", { every: 100, queue: "mail", labels: { class: "payroll" } });
  await reaches('punctual_fire_lateness_seconds_count{class="payroll",trigger="schedule"}', 2);
  await reaches('punctual_fires_total{trigger="schedule"}', 2);
  await reaches('punctual_attempts_total{queue="mail"}', 2);
  await reaches('punctual_start_lateness_seconds_count{queue="mail"}', 2);
  const samples = await reaches('punctual_run_duration_seconds_count{queue="mail",outcome="succeeded"}', 2);
  expect(samples.get("punctual_tick_duration_seconds_count")).toBeGreaterThan(0);
  expect(samples.get("punctual_lease_terms_total")).toBe(2);
  expect(samples.get("punctual_shards_held")).toBe(2);
  expect(samples.get("punctual_publish_window_size")).toBe(1_024);
});

test("slots that are skipped and missed are counted when RUNS was told of them", async () => {
  const { stage, reaches } = await observed();
  const { waited, release } = latch();
  await stage.work("slow", {}, () => waited);
  await stage.client.schedules.put("overlapping", { every: 100, queue: "slow", overlap: "skip" });
  await reaches("punctual_skips_total", 1);
  expect(await stage.event("skipped")).toMatchObject({ scheduleId: "overlapping" });
  release();
});

test("failures, dead letters and what lies in the queues are counted", async () => {
  const { stage, reaches } = await observed();
  const { waited, release } = latch();
  await stage.work("mail", { concurrency: 1 }, ({ payload }) => {
    if (payload === "bad") throw new NonRetryableError("never");
    return waited;
  });
  await stage.client.enqueue({ queue: "mail", payload: "bad" });
  await reaches('punctual_failures_total{queue="mail"}', 1);
  await reaches('punctual_dead_letters_total{queue="mail",reason="not retryable"}', 1);
  for (let i = 0; i < 3; i++) await stage.client.enqueue({ queue: "mail", payload: i });
  await reaches('punctual_runs_in_progress{queue="mail"}', 1);
  await reaches('punctual_queue_in_flight_jobs{queue="mail",lane="work"}', 1);
  await reaches('punctual_queue_waiting_jobs{queue="mail",lane="work"}', 2);
  await reaches('punctual_dead_letters_kept{queue="mail"}', 1);
  await reaches('punctual_queue_oldest_job_age_seconds{queue="mail",lane="work"}', 0.001);
  release();
  await until(async () => {
    const samples = await reaches('punctual_run_duration_seconds_count{queue="mail",outcome="succeeded"}', 3);
    expect(samples.get('punctual_runs_in_progress{queue="mail"}')).toBe(0);
    expect(samples.get('punctual_queue_in_flight_jobs{queue="mail",lane="work"}')).toBe(0);
  });
});

test("jobs at the front door are counted by what became of them", async () => {
  const { stage, reaches } = await observed();
  const publish = (name: string, value: string) => {
    const headers = natsHeaders();
    headers.set(name, value);
    return stage.js.publish(stage.names.enqueue("mail"), "{}", { headers });
  };
  await publish("Punctual-Run-Id", "one");
  await publish("Punctual-Max-Attempts", "none");
  await reaches('punctual_intake_jobs_total{outcome="accepted"}', 1);
  await reaches('punctual_intake_jobs_total{outcome="invalid"}', 1);
  await reaches('punctual_dead_letters_total{queue="mail",reason="invalid"}', 1);
});

test("a takeover is one only when the holder had not let go", async () => {
  const { stage, orchestrator } = await observed();
  const second = await connect({ servers: server().url, namespace: stage.names.namespace });
  onTestFinished(() => second.close());
  const other = await second.orchestrate({ http: 0 });
  onTestFinished(() => other.stop());
  await orchestrator.stop();
  await until(() => expect(other.held).toHaveLength(2));
  const samples = samplesOf(await (await fetch(`${second.httpUrls[0]}/metrics`)).text());
  expect(samples.get("punctual_lease_terms_total")).toBeGreaterThanOrEqual(2);
  expect(samples.get("punctual_takeovers_total")).toBe(0);
});

test("it is ready while it decides and pulls, and says what is not", async () => {
  const { stage, orchestrator, page, url } = await observed();
  await stage.punctual.work("mail", {}, () => {}).then((worker) => onTestFinished(() => worker.stop()));
  const ready = async () => (await fetch(`${url}/readyz`)).status;
  expect(await page("/readyz")).toBe("[+]orchestrator ok\n[+]worker of mail ok\nready\n");
  expect(await page("/livez")).toBe("ok\n");
  expect(await ready()).toBe(200);
  const stopping = orchestrator.stop();
  expect(await page("/readyz")).toContain("[-]orchestrator: is stopping");
  await stopping;
  expect(await page("/readyz")).toBe("[+]worker of mail ok\nready\n");
});

/** One that holds all shards, and whose connection ends as in a crash. */
async function crashing(stage: Stage) {
  const open = () => openOn(server(), stage.names.namespace, 2);
  const { session, connection } = await startSession({ open }, "dying", { leaseDuration: "9s" });
  await until(() => expect(session.held).toHaveLength(2));
  return connection;
}

test("a newcomer is ready when it has taken what a dead peer held, not before", async () => {
  const stage = await Stage.open(server());
  await crashing(stage).then((connection) => connection.close());
  const orchestrator = await stage.punctual.orchestrate({ http: 0, leaseDuration: "9s" });
  onTestFinished(() => orchestrator.stop());
  expect(await (await fetch(`${stage.punctual.httpUrls[0]}/readyz`)).text()).toMatch(
    /^\[-\]orchestrator: [12] shards that should be its own have no live holder\nnot ready\n$/,
  );
  const heldWhenReady = await until(() => {
    const { problem, held } = orchestrator;
    expect(problem).toBeNull();
    return held;
  });
  expect(heldWhenReady).toHaveLength(2);
});

test("a newcomer is ready while a live peer still holds what will be its own", async () => {
  const stage = await Stage.open(server());
  await crashing(stage);
  const orchestrator = await stage.punctual.orchestrate({ http: 0, leaseDuration: "9s" });
  onTestFinished(() => orchestrator.stop());
  await until(() => expect(orchestrator.problem).toBeNull());
});

test("a takeover from an orchestrator that crashed is counted", async () => {
  const stage = await Stage.open(server());
  const connection = await crashing(stage);
  const orchestrator = await stage.punctual.orchestrate({ http: 0, leaseDuration: "9s" });
  onTestFinished(() => orchestrator.stop());
  await connection.close();
  await until(() => expect(orchestrator.held).toHaveLength(2));
  const samples = samplesOf(await (await fetch(`${stage.punctual.httpUrls[0]}/metrics`)).text());
  expect(samples.get("punctual_takeovers_total")).toBeGreaterThanOrEqual(1);
});

test("an address that cannot be had is said before anything is started", async () => {
  const { stage, url } = await observed();
  const port = Number(new URL(url).port);
  const second = await connect({ servers: server().url, namespace: stage.names.namespace });
  onTestFinished(() => second.close());
  await expect(second.orchestrate({ http: port })).rejects.toMatchObject({ code: "unavailable" });
  await expect(second.work("mail", { http: "nowhere" }, () => {})).rejects.toMatchObject({ code: "invalid" });
});

promtoolTest("what a running process shows passes promtool check metrics", async () => {
  const { stage, page, reaches } = await observed();
  await stage.attempts("mail");
  await stage.client.schedules.put("often", { every: 100, queue: "mail" });
  await reaches('punctual_start_lateness_seconds_count{queue="mail"}', 1);
  expect(await promtool(["check", "metrics"], await page())).toEqual({ status: 0, said: "" });
});
