import { describe, expect, test } from "vitest";
import { fakeClient } from "./fakes.js";

describe("a queue with a depth", () => {
  test("lets in as many as there is room for, counting what it let in since it asked", async () => {
    const { client, server, clock } = fakeClient();
    server.settings = { maxDepth: 5 };
    server.depth = 3;
    await Promise.all([client.enqueue({ queue: "a" }), client.enqueue({ queue: "a" })]);
    await expect(client.enqueue({ queue: "a" })).rejects.toMatchObject({
      code: "full",
      message: "queue a is full: it holds 5 jobs, its maxDepth",
    });
    expect(server.published).toHaveLength(2);
    expect(server.counted).toBe(1);
    server.depth = 4;
    await clock.pass(1_000);
    expect(await client.enqueue({ queue: "a" })).toMatchObject({ accepted: true });
    await expect(client.enqueue({ queue: "a" })).rejects.toMatchObject({ code: "full" });
  });

  test("of many at once, those for whom there is no room fail, each on its own", async () => {
    const { client, server } = fakeClient();
    server.settings = { maxDepth: 2 };
    const kinds: string[] = [];
    for await (const { kind } of client.enqueueMany([{}, {}, {}, {}])) kinds.push(kind);
    expect(kinds).toEqual(["enqueued", "enqueued", "failed", "failed"]);
  });

  test("is not asked how full it is when it has no limit; a limit is known within a second", async () => {
    const { client, server, clock } = fakeClient();
    await client.enqueue({ queue: "a" });
    expect(server.counted).toBe(0);
    server.settings = { maxDepth: 1 };
    server.depth = 1;
    await clock.pass(999);
    await client.enqueue({ queue: "a" });
    await clock.pass(1);
    await expect(client.enqueue({ queue: "a" })).rejects.toMatchObject({ code: "full" });
  });
});

describe("a key that is unique for a period", () => {
  const request = { queue: "a", unique: "k", uniqueFor: "10s" };

  test("lets in one job, and the next when the period is over", async () => {
    const { client, server, clock } = fakeClient();
    expect(await client.enqueue(request)).toEqual({ runId: "id-1", accepted: true, state: "queued" });
    await clock.pass(9_999);
    expect(await client.enqueue(request)).toEqual({ runId: "id-2", accepted: false });
    expect(await client.enqueue({ ...request, unique: "other" })).toMatchObject({ accepted: true });
    expect(await client.enqueue({ ...request, queue: "b" })).toMatchObject({ accepted: true });
    await clock.pass(1);
    expect(await client.enqueue(request)).toMatchObject({ accepted: true });
    expect(server.published).toHaveLength(4);
  });

  test("of several at once lets in one", async () => {
    const { client } = fakeClient();
    const answers = await Promise.all([1, 2, 3, 4].map(() => client.enqueue(request)));
    expect(answers.filter(({ accepted }) => accepted)).toHaveLength(1);
  });

  test("is free again when its job was not let in after all", async () => {
    const { client, server } = fakeClient();
    server.outcomes.push({ kind: "taken" }, { kind: "full", reason: "bytes" });
    expect(await client.enqueue(request)).toMatchObject({ accepted: false });
    await expect(client.enqueue(request)).rejects.toMatchObject({ code: "full" });
    expect(await client.enqueue(request)).toMatchObject({ accepted: true });
  });

  test("stays taken when nobody knows whether its job was let in, but not for that job itself", async () => {
    const { client, server } = fakeClient();
    const unknown = { kind: "unknown" as const, error: new Error("no answer") };
    server.outcomes.push(unknown, unknown, unknown, unknown, unknown);
    const job = { ...request, jobId: "mine" };
    await expect(client.enqueue(job)).rejects.toMatchObject({ code: "timeout" });
    expect(await client.enqueue(request)).toMatchObject({ accepted: false });
    expect(await client.enqueue(job)).toEqual({ runId: "mine", accepted: true, state: "queued" });
  });

  test.each([
    [{ uniqueFor: "10s" }, /uniqueFor: goes with unique/],
    [{ unique: "k", uniqueFor: "soon" }, /uniqueFor: expected a duration/],
    [{ unique: "k", uniqueFor: "999ms" }, /uniqueFor: expected 1s to 31d, got "999ms"/],
    [{ unique: "k", uniqueFor: "32d" }, /uniqueFor: expected 1s to 31d, got "32d"/],
  ])("%j is refused", async (wrong, message) => {
    const { client, server } = fakeClient();
    await expect(client.enqueue(wrong)).rejects.toThrow(message);
    expect(server.published).toEqual([]);
  });
});
