import { describe, expect, test } from "vitest";
import type { WorkMessage } from "../../src/core/ports.js";
import { historyLevels } from "../../src/core/queue.js";
import { headers as h } from "../../src/protocol/headers.js";
import { namesOf } from "../../src/protocol/names.js";
import { LongWaits } from "../../src/worker/long-waits.js";
import { Bench } from "./support.js";

/** Whose jobs fail, and may wait elsewhere. */
async function failing(history: (typeof historyLevels)[number], broken: string[] = []) {
  const bench = new Bench();
  bench.settings = { ...bench.settings, history };
  for (const operation of broken) bench.broken.add(operation);
  const { clock } = bench;
  const timers = { put: (message: WorkMessage) => bench.wait(message), ready: () => undefined };
  bench.ports.longWaits = new LongWaits({ timers, names: namesOf("punctual"), shards: 4, clock });
  await bench.start(() => {
    throw new Error("no");
  });
  return bench;
}

const job = (backoff: string) => ({ key: "a", headers: { [h.runId]: "a", [h.backoff]: backoff } });

describe("a run that leaves its queue to wait for its next attempt", () => {
  test.each(historyLevels)("is told before its message is acknowledged, with history %s", async (history) => {
    const bench = await failing(history);
    bench.deliver(job("60000,2,600000"));
    await bench.journal.until("ack");
    expect(bench.done).toEqual(["append retried", "wait", "ack"]);
    expect(bench.dataOf("retried")).toMatchObject({ attempt: 1, error: "no", delayMs: 60_000 });
  });

  test.each([
    ["a", "its id"],
    ["a.untold", "an id that was made for it, where the server tells nothing"],
    ["a.untold.again-7", "likewise, of one that was stored once more"],
  ])("has a subject of its own: %s, %s", async (key) => {
    const bench = await failing("off");
    bench.deliver({ ...job("60000,2,600000"), key });
    await bench.journal.until("ack");
    expect(bench.done).toContain("wait");
  });

  test("comes back in the place of no other message", async () => {
    const bench = await failing("off");
    const { headers } = job("60000,2,600000");
    bench.deliver({ key: "a.again-7", headers: { ...headers, [h.inPlaceOf]: "7,1" } });
    await bench.journal.until("ack");
    expect(bench.waiting[0]?.headers).toMatchObject({ [h.runId]: "a" });
    expect(bench.waiting[0]?.headers).not.toHaveProperty(h.inPlaceOf);
  });

  test("stays where its subject is held for it", async () => {
    const bench = await failing("off");
    bench.deliver({ ...job("60000,2,600000"), key: "unique" });
    await bench.journal.until("nak 60000");
    expect(bench.done).not.toContain("wait");
  });

  test.each(["append retried", "wait"])("waits on its queue when it cannot be stored: %s", async (broken) => {
    const bench = await failing("full", [broken]);
    bench.deliver(job("60000,2,600000"));
    await bench.journal.until("nak 60000");
    expect(bench.done).not.toContain("ack");
  });
});

test("a short wait is one on the queue, and told as the history says", async () => {
  const bench = await failing("outcome");
  bench.deliver(job("29000,2,600000"));
  await bench.journal.until("nak 29000");
  expect(bench.done).toEqual(["nak 29000"]);
});
