/**
 * pg-boss: `insert` of 1,000, four at a time. Jobs are fetched and completed by hand in lists of 1,000 by two loops,
 * which look again every 50 ms: its own `work` waits for half a second at least. Many consumers: a loop each, one job.
 */
import PgBoss from "pg-boss";
import type { Arm, Job, Work } from "../jobs/arm.js";
import { chunks, inLanes, pause, serve } from "../jobs/serve.js";

const [connectionString = ""] = process.argv.slice(2);
const LOOK_MS = 50;
const shared = await open(8);

async function open(max: number): Promise<PgBoss> {
  const boss = new PgBoss({ connectionString, max, supervise: false, schedule: false });
  boss.on("error", (error) => console.error(error));
  return boss.start();
}

const arm: Arm = {
  open: (name) => shared.createQueue(name),
  enqueue: (name, jobs) =>
    inLanes(chunks(jobs, 1_000), 4, (list) =>
      shared.insert(
        list.map((data) => ({
          name,
          data,
          ...(data.dueAt !== undefined && { startAfter: new Date(data.dueAt).toISOString() }),
        })),
      ),
    ),
  work: async (name, { consumers, concurrency, onJob }: Work) => {
    const loops = consumers > 1 ? consumers : concurrency === 1 ? 1 : 2;
    const batchSize = Math.min(concurrency, 1_000);
    const boss = await open(Math.max(loops, 4));
    let stopped = false;
    const loop = async () => {
      while (!stopped) {
        const jobs = await boss.fetch<Job>(name, { batchSize });
        for (const { data } of jobs) onJob(data);
        if (jobs.length === 0) await pause(LOOK_MS);
        else
          await boss.complete(
            name,
            jobs.map(({ id }) => id),
          );
      }
    };
    const running = Array.from({ length: loops }, loop);
    return async () => {
      stopped = true;
      await Promise.all(running);
      await boss.stop({ graceful: false, close: true });
    };
  },
  pending: (name) => shared.getQueueSize(name, { before: "completed" }),
  close: () => shared.stop({ graceful: false, close: true }),
};
serve(arm);
