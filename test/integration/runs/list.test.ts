/** Runs as they are found and told, on a real server. */
import { expect, test } from "vitest";
import { runIdOf } from "../../../src/protocol/names.js";
import type { RunSummary } from "../../../src/protocol/run-api.js";
import { until } from "../../support/scene.js";
import { latch, Stage, serverOf } from "../../support/stage.js";

const server = serverOf();
const soon = (ms: number) => new Date(Math.ceil((Date.now() + ms) / 100) * 100);

async function listed(stage: Stage, filter: Parameters<Stage["client"]["runs"]["list"]>[0] = {}) {
  const found: RunSummary[] = [];
  for await (const run of stage.client.runs.list(filter)) found.push(run);
  return found;
}

test("a worker that only pulls and answers has a history: queued, done, how long, how often", async () => {
  const stage = await Stage.orchestrated(server());
  stage.raw.publish(stage.names.enqueue("emails"), '{"to":"you"}');
  await stage.raw.flush();
  await until(async () => expect(await stage.inWork()).toHaveLength(1));
  await until(async () =>
    expect(await listed(stage, { queue: "emails" })).toMatchObject([{ state: "queued" }]),
  );

  const consumer = await stage.js.consumers.get(stage.names.work, stage.names.consumer("emails"));
  (await consumer.next({ expires: 5_000 }))?.nak();
  const again = await consumer.next({ expires: 5_000 });
  await until(async () => expect(await listed(stage)).toMatchObject([{ state: "retrying", attempts: 1 }]));
  await again?.ackAck();
  const [run] = await until(async () => {
    const runs = await listed(stage, { queue: "emails" });
    expect(runs).toMatchObject([{ state: "succeeded", attempts: 2, queue: "emails", worker: null }]);
    return runs as [RunSummary];
  });
  expect(Date.parse(run.endedAt as string)).toBeGreaterThanOrEqual(Date.parse(run.queuedAt as string));
  expect(run.durationMs).toBeGreaterThan(0);
  expect(await listed(stage, { queue: "others" })).toEqual([]);
  const told = await stage.client.runs.get(run.id);
  expect(told.attemptList.map(({ outcome }) => outcome)).toEqual(["failed", "succeeded"]);
});

test("a run of a schedule is told from due to done, with its attempts, its errors and its result", async () => {
  const stage = await Stage.orchestrated(server());
  const at = soon(400);
  const worker = await stage.work("default", { id: "w-1" }, ({ attempt }) => {
    if (attempt === 1) throw new Error("not yet");
    return { sent: 3 };
  });
  await stage.client.schedules.put("s", {
    ...{ at: at.toISOString(), labels: { team: "billing" } },
    retry: { maxAttempts: 3, initialDelay: "50ms" },
  });
  await stage.event("succeeded");
  const id = runIdOf("s", at.getTime());
  const run = await until(async () => {
    const told = await stage.client.runs.get(id);
    expect(told.attemptList).toHaveLength(2);
    expect(told.seq).not.toBeNull();
    return told;
  });
  expect(run).toMatchObject({
    ...{ id, state: "succeeded", scheduleId: "s", queue: "default", trigger: "schedule", worker: worker.id },
    ...{
      fireTime: at.toISOString(),
      labels: { team: "billing" },
      result: { sent: 3 },
      attempts: 2,
      error: null,
    },
    attemptList: [
      {
        number: 1,
        outcome: "failed",
        error: "not yet",
        worker: "w-1",
        stack: expect.stringContaining("Error"),
      },
      { number: 2, outcome: "succeeded", worker: "w-1" },
    ],
  });
  const known = run.waterfall.filter((step) => step.at !== null);
  expect(known.map(({ step }) => step)).toEqual(["due", "stored", "started", "acknowledged"]);
  const times = known.map((step) => Date.parse(step.at as string));
  expect(times).toEqual([...times].sort((a, b) => a - b));
  const found = await listed(stage, { selector: "team=billing", scheduleId: "s", worker: "w-1" });
  expect(found.map((one) => one.id)).toEqual([id]);
  expect(await listed(stage, { selector: "team!=billing" })).toEqual([]);
});

test("what was not run is told too, and states are told apart", async () => {
  const stage = await Stage.orchestrated(server());
  const done = latch();
  await stage.work("default", {}, () => done.waited);
  await stage.client.schedules.put("s", { every: "200ms" });
  await until(async () => {
    expect((await listed(stage, { states: ["skipped"] })).length).toBeGreaterThan(1);
    expect(await listed(stage, { states: ["running"] })).toHaveLength(1);
  });
  await stage.client.schedules.delete("s");
  const [skipped] = await listed(stage, { states: ["skipped"] });
  expect(skipped).toMatchObject({ reason: "overlap", scheduleId: "s", attempts: 0 });
  done.release();
});

test("a job that failed for good is dead, with its error", async () => {
  const stage = await Stage.orchestrated(server());
  await stage.attempts("default", () => {
    throw new Error("on purpose");
  });
  const { runId } = await stage.client.enqueue({ retry: { maxAttempts: 1 } });
  await until(async () => expect((await stage.client.runs.get(runId)).state).toBe("dead"));
  expect(await stage.client.runs.get(runId)).toMatchObject({ error: "on purpose", attempts: 1 });
});

test("a run that has left its queue without a word is unknown", async () => {
  const stage = await Stage.orchestrated(server());
  const { runId } = await stage.client.enqueue({ queue: "q" });
  await until(async () => expect((await stage.client.runs.get(runId)).state).toBe("queued"));
  await stage.jsm.streams.purge(stage.names.work);
  expect((await stage.client.runs.get(runId)).state).toBe("unknown");
});

test("pages follow each other without a gap or a repeat, whatever is going on", async () => {
  const stage = await Stage.orchestrated(server());
  const ids = Array.from({ length: 250 }, (_, n) => `job-${n}`);
  for (const jobId of ids) await stage.client.enqueue({ jobId });
  const found: string[] = [];
  await until(async () => expect((await listed(stage)).length).toBe(250));
  for await (const { id } of stage.client.runs.list({}, { pageSize: 40 })) {
    found.push(id);
    if (found.length % 40 === 0) await stage.client.enqueue({ jobId: `late-${found.length}` });
  }
  expect(found).toEqual([...ids].reverse());
});

test("an unknown run is said to be so", async () => {
  const stage = await Stage.orchestrated(server());
  await expect(stage.client.runs.get("nobody")).rejects.toMatchObject({ code: "not_found" });
  await expect(stage.client.runs.get("a b")).rejects.toMatchObject({ code: "invalid" });
});

test("fields that a worker redacts are not in the history", async () => {
  const stage = await Stage.orchestrated(server());
  await stage.work("default", { redact: ["password"] }, ({ log, progress }) => {
    log.info({ user: { password: "secret", name: "a" } }, "at work");
    progress({ password: "secret" });
    return { password: "secret", sent: 1 };
  });
  const { runId } = await stage.client.enqueue({});
  await until(async () => expect((await stage.client.runs.get(runId)).state).toBe("succeeded"));
  const run = await stage.client.runs.get(runId);
  expect(run).toMatchObject({ result: { password: "[redacted]", sent: 1 }, logLines: 1 });
  const told = JSON.stringify(await stage.events());
  expect(told).toContain("[redacted]");
  expect(told).not.toContain("secret");
});
