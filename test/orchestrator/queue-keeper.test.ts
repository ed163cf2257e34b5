import { expect, test } from "vitest";
import type { QueueSettings } from "../../src/core/queue.js";
import { QueueKeeper } from "../../src/orchestrator/queue-keeper.js";
import { silentLogger } from "../../src/runtime/log.js";
import { ManualClock, MemoryServer, openMemoryPorts } from "../../src/testing/index.js";
import { until } from "../support/until.js";

/** A keeper whose consumers note what they are brought to, and answer as `answer` says. */
async function keeping(answer: (settings: QueueSettings) => Promise<boolean> | boolean) {
  const clock = new ManualClock();
  const { queues } = openMemoryPorts(new MemoryServer({ clock }));
  const applied: [queue: string, concurrency: number][] = [];
  const queueConsumers = {
    apply: async (queue: string, settings: QueueSettings) => {
      applied.push([queue, settings.concurrency]);
      return answer(settings);
    },
  };
  const keeper = new QueueKeeper({ clock, log: silentLogger, queues, queueConsumers });
  const subscription = await keeper.start();
  return { clock, queues, applied, subscription };
}

test("a keeper follows every record, and goes back to the defaults when one is removed", async () => {
  const { queues, applied } = await keeping(() => true);
  await queues.write("mail", { concurrency: 7 }, 0);
  await until(() => applied.length === 1);
  const { revision } = (await queues.get("mail")) ?? { revision: 0 };
  await queues.remove("mail", revision);
  await until(() => applied.length === 2);
  expect(applied).toEqual([
    ["mail", 7],
    ["mail", 1_000],
  ]);
});

test("what fails, and what has to wait, is tried again after a second, each queue by itself", async () => {
  const answers: (boolean | Error)[] = [new Error("no answer"), false, true, true];
  const { clock, queues, applied } = await keeping(() => {
    const answer = answers.shift() ?? true;
    if (answer instanceof Error) throw answer;
    return answer;
  });
  await queues.write("a", { concurrency: 1 }, 0);
  await queues.write("b", { concurrency: 2 }, 0);
  await until(() => applied.length === 2);
  await clock.pass(999);
  expect(applied).toHaveLength(2);
  await clock.pass(1);
  await until(() => applied.length === 4);
  expect(
    applied
      .slice(2)
      .map(([queue]) => queue)
      .sort(),
  ).toEqual(["a", "b"]);
  await clock.pass(5_000);
  expect(applied).toHaveLength(4);
});

test("settings that change while older ones are applied come last", async () => {
  const { queues, applied } = await keeping(async ({ concurrency }) => {
    if (concurrency !== 1) return true;
    const { revision } = (await queues.get("mail")) ?? { revision: 0 };
    await queues.write("mail", { concurrency: 2 }, revision);
    return true;
  });
  await queues.write("mail", { concurrency: 1 }, 0);
  await until(() => applied.length >= 3);
  expect(applied.at(-1)).toEqual(["mail", 2]);
});

test("a keeper that has stopped does nothing more", async () => {
  const { clock, queues, applied, subscription } = await keeping(() => false);
  await queues.write("mail", { concurrency: 1 }, 0);
  await until(() => applied.length === 1);
  await subscription.stop();
  await queues.write("files", {}, 0);
  await clock.pass(5_000);
  expect(applied).toHaveLength(1);
});
