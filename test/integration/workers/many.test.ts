import { expect, onTestFinished, test } from "vitest";
import { connect, type Punctual } from "../../../src/index.js";
import { Stage, serverOf } from "../../support/stage.js";

const server = serverOf();

const WORKERS = 300;
const JOBS = 2_000;

/** Each with a connection of its own and one job at a time. */
async function startWorkers(stage: Stage, onJob: (n: number) => void): Promise<void> {
  const { server: own, names } = stage;
  const connections: Punctual[] = [];
  onTestFinished(async () => {
    await Promise.all(connections.map((punctual) => punctual.close()));
  });
  while (connections.length < WORKERS) {
    const some = Array.from({ length: 50 }, () =>
      connect({ servers: own.url, namespace: names.namespace, create: false }),
    );
    connections.push(...(await Promise.all(some)));
  }
  const each = connections.map((punctual) =>
    punctual.work<number>("mail", { concurrency: 1 }, ({ payload }) => onJob(payload)),
  );
  await Promise.all(each);
}

// They look at the other lanes again and again. Asked with `no_wait`, the server counts all that waits each time: then it
// is too busy to hear of what is done, and jobs are delivered again.
test("hundreds of workers with one job each do every job once, and look at all lanes meanwhile", async () => {
  const stage = await Stage.open(server());
  const done = new Map<number, number>();
  let costly = 0;
  stage.raw.subscribe("$JS.API.CONSUMER.MSG.NEXT.>", {
    callback: (_, request) => {
      if (request.string().includes("no_wait")) costly++;
    },
  });
  await startWorkers(stage, (n) => done.set(n, (done.get(n) ?? 0) + 1));
  for (let crowd = 0; crowd < 2; crowd++) {
    const requests = Array.from({ length: JOBS }, (_, i) => ({
      queue: "mail",
      payload: crowd * JOBS + i,
      ...(i === 0 && { priority: "high" as const }),
    }));
    for await (const { kind } of stage.client.enqueueMany(requests)) expect(kind).toBe("enqueued");
    await stage.workIsEmpty();
  }
  expect(costly).toBe(0);
  expect(done.size).toBe(2 * JOBS);
  expect([...done.values()].filter((times) => times > 1)).toEqual([]);
});
