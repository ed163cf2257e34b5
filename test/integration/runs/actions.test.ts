/** Ending runs, running them once more, following them: on a real server. */
import { expect, test } from "vitest";
import { runIdOf } from "../../../src/protocol/names.js";
import type { RunSummary } from "../../../src/protocol/run-api.js";
import { until } from "../../support/scene.js";
import { Stage, serverOf } from "../../support/stage.js";

const server = serverOf();

const untilAborted = (signal: AbortSignal) =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

test("a running handler hears of its end", async () => {
  const stage = await Stage.orchestrated(server());
  const seen = await stage.attempts("default", ({ signal }) => untilAborted(signal));
  const { runId } = await stage.client.enqueue({});
  await until(() => expect(seen).toHaveLength(1));
  await until(async () => expect((await stage.client.runs.get(runId)).seq).not.toBeNull());
  expect(await stage.client.runs.cancel(runId)).toBe("signalled");
  await stage.workIsEmpty();
  await until(async () => expect((await stage.client.runs.get(runId)).state).toBe("cancelled"));
  await expect(stage.client.runs.cancel(runId)).rejects.toMatchObject({ code: "conflict" });
});

test("a job in its queue is taken out of it, and told to be cancelled once, however many ask for it", async () => {
  const stage = await Stage.orchestrated(server());
  const { runId } = await stage.client.enqueue({ queue: "q" });
  await until(async () => expect((await stage.client.runs.get(runId)).state).toBe("queued"));
  const asked = await Promise.allSettled([1, 2, 3].map(() => stage.client.runs.cancel(runId)));
  expect(asked.some(({ status }) => status === "fulfilled")).toBe(true);
  expect(await stage.inWork()).toEqual([]);
  const told = (await stage.events()).filter(({ type }) => type === "cancelled");
  expect(told.map((event) => event.runId)).toEqual([runId]);
  expect(await stage.client.runs.get(runId)).toMatchObject({ state: "cancelled", attempts: 0 });
});

test("a worker that hears nothing keeps its job, unless it is taken by force", async () => {
  const stage = await Stage.orchestrated(server());
  const { runId } = await stage.client.enqueue({ queue: "bare" });
  const consumer = await stage.js.consumers.get(stage.names.work, stage.names.consumer("bare"));
  const message = await consumer.next({ expires: 5_000 });
  await until(async () => expect((await stage.client.runs.get(runId)).state).toBe("running"));
  await expect(stage.client.runs.cancel(runId)).rejects.toMatchObject({ code: "conflict" });
  expect(await stage.inWork()).toHaveLength(1);
  expect(await stage.client.runs.cancel(runId, { force: true })).toBe("removed");
  expect(await stage.inWork()).toEqual([]);
  message?.ack();
});

test("a job that waits for another attempt is in nobody's hand", async () => {
  const stage = await Stage.orchestrated(server());
  const seen = await stage.attempts("default", () => {
    throw new Error("no");
  });
  const { runId } = await stage.client.enqueue({ retry: { maxAttempts: 3, initialDelay: "5s" } });
  await until(async () => expect((await stage.client.runs.get(runId)).state).toBe("retrying"));
  expect(await stage.client.runs.cancel(runId)).toBe("removed");
  expect(seen).toHaveLength(1);
});

test("a run of a schedule is run once more; a job whose payload is gone is not", async () => {
  const stage = await Stage.orchestrated(server());
  const seen = await stage.attempts("default");
  const at = new Date(Math.ceil((Date.now() + 300) / 100) * 100);
  await stage.client.schedules.put("s", { at: at.toISOString(), payload: { a: 1 } });
  const id = runIdOf("s", at.getTime());
  await until(() => expect(seen.map(({ runId }) => runId)).toEqual([id]));
  const again = await until(async () => {
    const retried = await stage.client.runs.retry(id);
    expect(retried.from).toBe("schedule");
    return retried;
  });
  await until(() => expect(seen.map(({ runId }) => runId)).toEqual([id, again.runId]));
  expect(seen[1]?.job).toMatchObject({ payload: { a: 1 }, trigger: "manual" });

  const { runId } = await stage.client.enqueue({});
  await until(async () => expect((await stage.client.runs.get(runId)).state).toBe("succeeded"));
  await expect(stage.client.runs.retry(runId)).rejects.toMatchObject({
    code: "conflict",
    message: expect.stringMatching(/payload/),
  });
});

test("changes are told as they come, until the run is over; the log too", async () => {
  const stage = await Stage.orchestrated(server());
  const { runId } = await stage.client.enqueue({});
  await until(async () => expect((await stage.client.runs.get(runId)).state).toBe("queued"));
  const changes = stage.client.runs.watch(runId);
  const all = stage.client.runs.watchAll({ states: ["succeeded"] });
  const firstOfAll = all.next();
  const states = [(await changes.next()).value as RunSummary];
  await stage.attempts("default", ({ log, attempt }) => {
    log.info({ attempt }, "at work");
    if (attempt === 1) throw new Error("once more");
  });
  for await (const change of changes) states.push(change);
  expect(states.map(({ state }) => state)[0]).toBe("queued");
  expect(states.at(-1)).toMatchObject({ state: "succeeded", attempts: 2 });
  expect((await firstOfAll).value).toMatchObject({ id: runId, state: "succeeded" });
  await all.return();
  const lines: string[] = [];
  for await (const { msg, attempt } of stage.client.runs.logs(runId, { follow: true }))
    lines.push(`${attempt} ${msg}`);
  expect(lines).toEqual(["1 at work", "2 at work"]);
});
