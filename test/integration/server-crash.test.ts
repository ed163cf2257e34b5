/** nats-server is killed while jobs are done at full speed. */
import { expect, test } from "vitest";
import type { HistoryLevel } from "../../src/core/queue.js";
import { Stage, serverOf } from "../support/stage.js";
import { until } from "../support/until.js";

const server = serverOf();

test.each<[HistoryLevel, "jobId" | "unique"]>([
  ["full", "jobId"],
  ["off", "unique"],
])(
  "jobs that were done are no dead letters, and their subjects are free: history %s, %s",
  {
    timeout: 150_000,
  },
  async (history, key) => {
    const stage = await Stage.orchestrated(server());
    await stage.client.queues.put("mail", { history });
    const count = 3_000;
    const done = new Set<number>();
    const half = { reached: () => {} };
    const atHalf = new Promise<void>((resolve) => {
      half.reached = resolve;
    });
    const requests = Array.from({ length: count }, (_, n) => ({
      queue: "mail",
      [key]: `job-${n}`,
      payload: n,
    }));
    for await (const outcome of stage.client.enqueueMany(requests)) expect(outcome.kind).toBe("enqueued");
    await stage.work<number>("mail", { concurrency: 200 }, ({ payload }) => {
      done.add(payload);
      if (done.size === count / 2) half.reached();
    });
    await atHalf;
    process.kill(server().pid, "SIGKILL");
    await server().restart();
    const inWork = async () => (await stage.jsm.streams.info(stage.names.work)).state.messages;
    await until(async () => (await inWork().catch(() => count)) === 0);
    expect(done.size).toBe(count);
    expect(await stage.deadCount()).toBe(0);
    // Under a message id of its own: that of the job may be known for two minutes, as the server had the job again.
    const subject = stage.names.job("mail", "job-1");
    expect(await stage.js.publish(subject, "0", { msgID: "another" })).toMatchObject({ duplicate: false });
  },
);
