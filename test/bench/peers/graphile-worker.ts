/**
 * graphile-worker: `addJobs` of 1,000, four at a time. Throughput: a local queue of 500, ends written in batches. Prompt:
 * it looks every 100 ms. Many consumers: no local queue, so that each asks for its own jobs.
 */
import { Logger, makeWorkerUtils, type RunnerOptions, run, type WorkerUtils } from "graphile-worker";
import pg from "pg";
import type { Arm, Job, Work } from "../jobs/arm.js";
import { chunks, inLanes, serve } from "../jobs/serve.js";

const [connectionString = ""] = process.argv.slice(2);
const logger = new Logger(() => () => {});
const pool = poolOf(8);
let utils: WorkerUtils | undefined;

function poolOf(max: number): pg.Pool {
  const made = new pg.Pool({ connectionString, max });
  made.on("error", () => {});
  made.on("connect", (client) => client.on("error", () => {}));
  return made;
}

function settingsFor({ consumers, concurrency, goal }: Work): Partial<RunnerOptions> {
  if (consumers > 1) return { concurrency: consumers, pollInterval: 100 };
  const batches = { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 };
  if (concurrency === 1) return { concurrency, pollInterval: 100 };
  const most = Math.min(concurrency, 100);
  const preset = {
    worker: { ...batches, concurrentJobs: most, pollInterval: goal === "prompt" ? 100 : 1_000 },
  };
  return { preset };
}

const arm: Arm = {
  open: async () => {
    utils ??= await makeWorkerUtils({ pgPool: pool, logger });
    await utils.migrate();
  },
  enqueue: (name, jobs) =>
    inLanes(chunks(jobs, 1_000), 4, async (list) => {
      const specs = list.map((payload) => ({
        identifier: name,
        payload,
        ...(payload.dueAt !== undefined && { runAt: new Date(payload.dueAt) }),
      }));
      await utils?.addJobs(specs);
    }),
  work: async (name, work) => {
    const own = poolOf(work.consumers > 1 ? work.consumers + 4 : 10);
    const runner = await run({
      ...settingsFor(work),
      pgPool: own,
      logger,
      noHandleSignals: true,
      taskList: { [name]: (payload) => work.onJob(payload as Job) },
    });
    return async () => {
      await runner.stop();
      await own.end();
    };
  },
  pending: async (name) => {
    const { rows } = await pool.query(
      "select count(*)::int as count from graphile_worker.jobs where task_identifier = $1",
      [name],
    );
    return rows[0].count;
  },
  close: async () => {
    await utils?.release();
    await pool.end();
  },
};
serve(arm);
