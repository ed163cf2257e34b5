/** Punctual, through its SDK: `enqueueMany`; each worker has a connection of its own. */
import { jetstreamManager } from "@nats-io/jetstream";
import { connect as connectNats } from "@nats-io/transport-node";
import type { HistoryLevel } from "../../../src/core/queue.js";
import type { EnqueueRequest, Punctual } from "../../../src/index.js";
import { namesOf } from "../../../src/protocol/names.js";
import type { Arm, Job } from "./arm.js";
import { serve } from "./serve.js";

// The compiled code, as users run it.
const dist = new URL("../../../dist/", import.meta.url).href;
const { connect }: typeof import("../../../src/index.js") = await import(`${dist}index.js`);
const { openPorts }: typeof import("../../../src/nats/open.js") = await import(`${dist}nats/open.js`);
const { systemClock }: typeof import("../../../src/runtime/clock.js") = await import(
  `${dist}runtime/clock.js`
);

const [servers = "", namespace = "bench", level = "full"] = process.argv.slice(2);
const names = namesOf(namespace);
const punctual = await connect({ servers, namespace });
const connection = await connectNats({ servers, noAsyncTraces: true });
const jsm = await jetstreamManager(connection);

/** Jobs of one queue that may be under way at once, over all workers. */
const QUEUE_CONCURRENCY = 10_000;
/** Connections that are opened at once. */
const TOGETHER = 50;

async function connectAll(count: number): Promise<Punctual[]> {
  const all: Punctual[] = [];
  while (all.length < count) {
    const some = Math.min(TOGETHER, count - all.length);
    all.push(
      ...(await Promise.all(
        Array.from({ length: some }, () => connect({ servers, namespace, create: false })),
      )),
    );
  }
  return all;
}

function* requestsOf(queue: string, jobs: Iterable<Job>): Iterable<EnqueueRequest> {
  for (const payload of jobs) {
    const { dueAt } = payload;
    yield { queue, payload, ...(dueAt !== undefined && { at: new Date(dueAt).toISOString() }) };
  }
}

const arm: Arm = {
  open: async (queue) => {
    const options = { names, clock: systemClock, replicas: 1, shards: undefined, version: "0.0.0" };
    const { queues } = await openPorts(connection, options);
    await queues.ensure(queue, { concurrency: QUEUE_CONCURRENCY, history: level as HistoryLevel });
  },
  enqueue: async (queue, jobs) => {
    for await (const outcome of punctual.client.enqueueMany(requestsOf(queue, jobs)))
      if (outcome.kind === "failed") throw outcome.error;
  },
  work: async (queue, { consumers, concurrency, onJob }) => {
    const connections = await connectAll(consumers);
    const workers = await Promise.all(
      connections.map((own) => own.work<Job>(queue, { concurrency }, ({ payload }) => onJob(payload))),
    );
    return async () => {
      await Promise.all(workers.map((worker) => worker.stop()));
      await Promise.all(connections.map((own) => own.close()));
    };
  },
  pending: async (queue) => {
    const consumer = await jsm.consumers.info(names.work, names.consumer(queue));
    return consumer.num_pending + consumer.num_ack_pending;
  },
  close: async () => {
    await punctual.close();
    await connection.close();
  },
};
serve(arm);
