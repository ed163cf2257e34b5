import { describe, expect, test } from "vitest";
import { runIdOf } from "../../../src/protocol/names.js";
import type { JobContext } from "../../../src/worker/context.js";
import { Pair } from "../../support/pair.js";
import { until } from "../../support/scene.js";
import { latch, serverOf } from "../../support/stage.js";

const server = serverOf();

const onAbort = (job: JobContext) =>
  new Promise<void>((resolve) => job.signal.addEventListener("abort", () => resolve()));

/** A run of each in the record's entries, in their order. */
const waitingIn = ({ firing }: { firing: readonly { scheduleId: string; slot: number }[] }) =>
  firing.map(({ scheduleId, slot }) => runIdOf(scheduleId, slot));

describe("skip", () => {
  test("with maxConcurrent: so many run at once, whoever holds the shard, and the rest is skipped", async () => {
    const pair = await Pair.open(server());
    const done = latch();
    let running = 0;
    let most = 0;
    const seen = await pair.stage.attempts("default", async () => {
      most = Math.max(most, ++running);
      await done.waited;
      running--;
    });
    await pair.schedules.put("wide", { every: "300ms", maxConcurrent: 3 });
    await until(() => expect(seen).toHaveLength(3));
    await until(async () => expect(await pair.told("skipped")).not.toEqual([]));
    const subjects = ["1", "2", "3"].map((ticket) => pair.stage.names.fire("default", "wide", ticket));
    expect((await pair.stage.inWork()).sort()).toEqual(subjects);
    await pair.crashHolder();
    const before = (await pair.told("skipped")).length;
    await until(async () => expect((await pair.told("skipped")).length).toBeGreaterThan(before));
    expect(seen).toHaveLength(3);
    done.release();
    await until(() => expect(seen.length).toBeGreaterThan(5));
    expect(most).toBe(3);
    await pair.schedules.delete("wide");
    const skipped = (await pair.told("skipped")).map(({ runId }) => runId);
    expect(seen.filter(({ runId }) => skipped.includes(runId))).toEqual([]);
    expect(new Set(seen.map(({ runId }) => runId)).size).toBe(seen.length);
  });
});

describe("allow", () => {
  test("runs are under way beside each other, across a takeover, each once and without a gap", async () => {
    const pair = await Pair.open(server());
    const done = latch();
    const seen = await pair.stage.attempts("default", () => done.waited);
    await pair.schedules.put("beside", { every: "250ms", overlap: "allow" });
    await until(() => expect(seen.length).toBeGreaterThanOrEqual(3));
    await pair.crashHolder();
    const before = seen.length;
    await until(() => expect(seen.length).toBeGreaterThanOrEqual(before + 3));
    await pair.schedules.delete("beside");
    await pair.recordWhere(({ firing }) => firing.length === 0);
    done.release();
    await pair.stage.workIsEmpty();
    const times = seen.map(({ job }) => job.fireTime?.getTime() ?? 0).sort((a, b) => a - b);
    const [first = 0] = times;
    expect(times).toEqual(times.map((_, index) => first + index * 250));
    expect(await pair.told("skipped")).toEqual([]);
  });
});

describe("buffers", () => {
  test.each([
    ["buffer-one", undefined, 1],
    ["buffer-all", 3, 3],
  ] as const)("%s: what waits is inherited in order, and runs once", async (overlap, bufferLimit, size) => {
    const pair = await Pair.open(server());
    const done = latch();
    const seen = await pair.stage.attempts("default", () => done.waited);
    await pair.schedules.put("queue", {
      every: "300ms",
      overlap,
      ...(bufferLimit !== undefined && { bufferLimit }),
    });
    const full = "overlap: the buffer is full";
    await until(async () => expect((await pair.told("skipped")).map(({ reason }) => reason)).toContain(full));
    await pair.schedules.pause("queue");
    const before = await pair.recordWhere(({ firing }) => firing.length === size);
    await pair.crashHolder();
    const after = await pair.recordWhere(({ term, firing }) => term > before.term && firing.length === size);
    expect(waitingIn(after)).toEqual(waitingIn(before));
    expect(seen).toHaveLength(1);
    done.release();
    await until(() => expect(seen).toHaveLength(1 + size));
    await pair.recordWhere(({ firing }) => firing.length === 0);
    await pair.stage.workIsEmpty();
    expect(seen.map(({ runId }) => runId).slice(1)).toEqual(waitingIn(before));
    const skipped = await pair.told("skipped");
    expect(new Set(skipped.map(({ reason }) => reason))).toEqual(new Set([full]));
    expect(seen.filter(({ runId }) => skipped.some((event) => event.runId === runId))).toEqual([]);
  });

  test("a worker without SDK makes room by its acknowledgement", async () => {
    const pair = await Pair.open(server());
    await pair.ports.queues.ensure("bare");
    await pair.schedules.put("queue", { every: "300ms", overlap: "buffer-one", queue: "bare" });
    const { names, js } = pair.stage;
    const consumer = await js.consumers.get(names.work, names.consumer("bare"));
    const fireTimes: string[] = [];
    for (let i = 0; i < 4; i++) {
      const message = await consumer.next({ expires: 20_000 });
      fireTimes.push(message?.headers?.get("Punctual-Fire-Time") ?? "");
      if (i === 1) await pair.crashHolder();
      await message?.ackAck();
    }
    await pair.schedules.delete("queue");
    expect(new Set(fireTimes).size).toBe(4);
    expect([...fireTimes].sort()).toEqual(fireTimes);
  });
});

describe("cancel-other", () => {
  test("asks the run to stop, waits for its end, and survives a takeover in between", async () => {
    const pair = await Pair.open(server());
    const mayEnd = latch();
    const started: JobContext[] = [];
    await pair.stage.work("default", { abortGraceMs: 60_000 }, async (job) => {
      started.push(job);
      await onAbort(job);
      await mayEnd.waited;
      throw job.signal.reason;
    });
    await pair.schedules.put("newest", { every: "400ms", overlap: "cancel-other" });
    await until(() => expect(started[0]?.signal.aborted).toBe(true));
    await pair.schedules.pause("newest");
    const before = await pair.recordWhere(({ firing }) => firing.length === 1);
    await pair.crashHolder();
    expect(started).toHaveLength(1);
    mayEnd.release();
    await until(() => expect(started).toHaveLength(2));
    expect(waitingIn(before)).toEqual([started[1]?.runId]);
    const { runId } = started[0] as JobContext;
    expect(await pair.told("cancelled")).toMatchObject([{ runId }]);
    const others = (await pair.told("skipped")).map(({ reason }) => reason);
    expect(others.every((reason) => reason === "overlap: a later run takes its place")).toBe(true);
  });

  test("reaches a run that was queued when it was asked", async () => {
    const pair = await Pair.open(server());
    await pair.ports.queues.ensure("later");
    await pair.schedules.put("newest", { every: "400ms", overlap: "cancel-other", queue: "later" });
    await until(async () => expect(await pair.told("skipped")).not.toEqual([]));
    await pair.schedules.pause("newest");
    const started: JobContext[] = [];
    await pair.stage.work("later", {}, async (job) => {
      started.push(job);
      await onAbort(job);
    });
    await until(() => expect(started).toHaveLength(2));
    expect(started[0]?.signal.aborted).toBe(true);
  });
});

describe("terminate-other", () => {
  test("takes the job from the queue, tells its worker, and fires at once; a takeover changes nothing", async () => {
    const pair = await Pair.open(server());
    const started: JobContext[] = [];
    const never = latch();
    await pair.stage.work("default", { abortGraceMs: 60_000 }, async (job) => {
      started.push(job);
      await never.waited;
    });
    await pair.schedules.put("newest", { every: "400ms", overlap: "terminate-other" });
    await until(() => expect(started.length).toBeGreaterThanOrEqual(2));
    await pair.crashHolder();
    const before = started.length;
    await until(() => expect(started.length).toBeGreaterThanOrEqual(before + 2));
    await pair.schedules.pause("newest");
    await pair.recordWhere(({ firing }) => firing.length === 0);
    await until(async () => {
      const cancelled = await pair.told("cancelled");
      expect(cancelled.map(({ runId }) => runId)).toEqual(started.slice(0, -1).map(({ runId }) => runId));
      expect(cancelled.every(({ reason }) => reason === "terminated")).toBe(true);
    });
    await until(() => expect(started.slice(0, -1).every(({ signal }) => signal.aborted)).toBe(true));
    expect(await pair.stage.inWork()).toHaveLength(1);
    expect(new Set(started.map(({ runId }) => runId)).size).toBe(started.length);
    never.release();
  });
});
