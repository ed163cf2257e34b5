/** BullMQ: `addBulk` of 1,000, four at a time; one worker; finished jobs are removed. */
import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import type { Arm, Job, Work } from "../jobs/arm.js";
import { chunks, inLanes, serve } from "../jobs/serve.js";

const [url = ""] = process.argv.slice(2);
const redis = new Redis(url, { maxRetriesPerRequest: null });
const queues = new Map<string, Queue>();

function queueOf(name: string): Queue {
  const known = queues.get(name) ?? new Queue(name, { connection: redis });
  queues.set(name, known);
  return known;
}

const optionsOf = ({ dueAt }: Job) => ({
  removeOnComplete: true,
  removeOnFail: true,
  ...(dueAt !== undefined && { delay: Math.max(0, dueAt - Date.now()) }),
});

const arm: Arm = {
  open: async (name) => void (await queueOf(name).waitUntilReady()),
  enqueue: (name, jobs) => {
    const queue = queueOf(name);
    return inLanes(chunks(jobs, 1_000), 4, (list) =>
      queue.addBulk(list.map((data) => ({ name: "email", data, opts: optionsOf(data) }))),
    );
  },
  work: async (name, { consumers, concurrency, onJob }: Work) => {
    const workers = Array.from(
      { length: consumers },
      () => new Worker<Job>(name, async ({ data }) => onJob(data), { connection: redis, concurrency }),
    );
    await Promise.all(workers.map((worker) => worker.waitUntilReady()));
    return async () => void (await Promise.all(workers.map((worker) => worker.close())));
  },
  pending: async (name) => {
    const counts = await queueOf(name).getJobCounts("wait", "active", "delayed", "prioritized");
    return Object.values(counts).reduce((sum, count) => sum + count, 0);
  },
  close: async () => {
    await Promise.all([...queues.values()].map((queue) => queue.close()));
    redis.disconnect();
  },
};
serve(arm);
