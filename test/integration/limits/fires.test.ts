import { headers as natsHeaders } from "@nats-io/transport-node";
import { expect, test } from "vitest";
import { excess } from "../../core/rate-bound.js";
import { until } from "../../support/scene.js";
import { Stage, serverOf } from "../../support/stage.js";

const server = serverOf();
const QUEUE = "mail";
const rate = { limit: 40, periodMs: 1_000, burst: 5 };
/** What is stored just before a job passes is heard of just after it. */
const HEARD_LATE = 5;

async function governed(): Promise<Stage> {
  const stage = await Stage.orchestrated(server());
  await stage.ensureQueue(QUEUE, { rate });
  return stage;
}

/** Puts jobs to the gate. */
async function waiting(stage: Stage, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const headers = natsHeaders();
    headers.set("Punctual-Run-Id", `job-${i}`);
    await stage.js.publish(stage.names.gate(QUEUE, null, `job-${i}`), "1", { headers });
  }
}

/** When the server stored what is in the queue, where nobody works, as soon as all jobs have passed. */
async function passed(stage: Stage, count: number): Promise<{ jobs: number[]; fires: number[] }> {
  const { names } = stage;
  await until(async () => expect((await stage.inWork()).filter((s) => s.includes(".gate."))).toEqual([]));
  const stored = await stage.messages(names.work, names.jobsOf(QUEUE));
  const timesOf = (isJob: boolean) =>
    stored
      .filter(({ subject }) => subject.startsWith(names.job(QUEUE, "job-")) === isJob)
      .map(({ time }) => time.getTime());
  const [jobs, fires] = [timesOf(true), timesOf(false)];
  expect(jobs).toHaveLength(count);
  return { jobs, fires };
}

test("jobs leave room for the fires of schedules, and for none that are refused", async () => {
  const stage = await governed();
  const { schedules } = stage.client;
  await schedules.put("each", { every: "50ms", queue: QUEUE, overlap: "allow" });
  await schedules.put("shared", { every: "100ms", queue: QUEUE, overlap: "skip" });
  await waiting(stage, 80);
  const { jobs, fires } = await passed(stage, 80);
  expect(fires.length).toBeGreaterThan(3 * HEARD_LATE);
  expect(excess(jobs, rate, fires)).toBeLessThan(HEARD_LATE);
});

test("jobs make up for a backfill that came at once", async () => {
  const stage = await governed();
  await stage.client.schedules.put("s", { cron: "0 * * * *", queue: QUEUE, paused: true });
  await waiting(stage, 60);
  const [from, to] = [new Date("2026-01-01T00:30:00Z"), new Date("2026-01-02T12:00:00Z")];
  await stage.client.backfills.start("s", { from, to, rate: "1000/s" });
  const { jobs, fires } = await passed(stage, 60);
  expect(fires).toHaveLength(36);
  const [last = 0, ...others] = jobs.sort((a, b) => b - a);
  expect(excess([last], rate, [...others, ...fires])).toBeLessThan(HEARD_LATE);
});
