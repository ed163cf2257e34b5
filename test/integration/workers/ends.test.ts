/** How work ends when it does not end by itself: a worker is killed, told to stop, a run is cancelled. */
import { type AddressInfo, createServer } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { Fleet } from "../../../src/demo/fleet.js";
import type { JobContext } from "../../../src/worker/context.js";
import { execHandler } from "../../../src/worker/exec.js";
import { httpHandler } from "../../../src/worker/http.js";
import { workingProcess } from "../../support/processes.js";
import { until } from "../../support/scene.js";
import { latch, Stage, serverOf } from "../../support/stage.js";

const server = serverOf();

async function workingElsewhere(stage: Stage, queue: string) {
  const lines: string[] = [];
  const fleet = new Fleet();
  onTestFinished(() => fleet.stop());
  const program = workingProcess(server().url, stage.names.namespace, queue);
  const worker = await fleet.spawn("worker", program, { onLine: (line) => lines.push(line) });
  return { worker, lines };
}

describe("a worker process", () => {
  test("that is killed: its job runs again, on another worker, under the same run id", async () => {
    const stage = await Stage.open(server());
    await stage.ensureQueue("mail", { ackWaitMs: 1_000 });
    const { worker, lines } = await workingElsewhere(stage, "mail");
    const { runId } = await stage.client.enqueue({ queue: "mail" });
    await until(() => expect(lines).toContain(`began ${runId} 1`));
    worker.kill("SIGKILL");
    await worker.ended;
    const seen = await stage.attempts("mail");
    await stage.event("succeeded", runId);
    expect(seen).toMatchObject([{ runId, attempt: 2 }]);
    await stage.workIsEmpty();
  });

  test("that is told to stop gives its job back at its deadline, and ends by itself", async () => {
    const stage = await Stage.open(server());
    const { worker, lines } = await workingElsewhere(stage, "mail");
    const { runId } = await stage.client.enqueue({ queue: "mail" });
    await until(() => expect(lines).toContain(`began ${runId} 1`));
    worker.kill("SIGTERM");
    await worker.ended;
    expect(lines.slice(-2)).toEqual(["aborted stopped", "closed"]);
    expect(await stage.event("retried", runId)).toMatchObject({
      attempt: 1,
      error: "the worker was stopped",
      delayMs: 0,
    });
    const seen = await stage.attempts("mail");
    await until(() => expect(seen).toMatchObject([{ runId }]));
  });
});

describe("a run that is cancelled from elsewhere", () => {
  const cancel = (stage: Stage, runId: string) => stage.raw.publish(stage.names.cancel(runId));
  const types = async (stage: Stage, runId: string) =>
    (await stage.events()).filter((event) => event.runId === runId).map(({ type }) => type);

  test("ends once, however often it is asked, and its handler knows why", async () => {
    const stage = await Stage.open(server());
    const reasons: unknown[] = [];
    const seen = await stage.attempts("mail", waiting(reasons));
    const { runId } = await stage.client.enqueue({ queue: "mail" });
    await until(() => expect(seen).toHaveLength(1));
    for (let n = 0; n < 3; n++) cancel(stage, runId);
    await stage.workIsEmpty();
    cancel(stage, runId);
    expect(reasons).toMatchObject([{ why: "cancelled" }]);
    expect((await types(stage, runId)).filter((type) => type === "cancelled")).toHaveLength(1);
    expect(seen).toHaveLength(1);
  });

  test("in a batch: the others go on", async () => {
    const stage = await Stage.open(server());
    const go = latch();
    const reasons: unknown[] = [];
    const worker = await stage.punctual.workBatch(
      "mail",
      { size: 2, abortGraceMs: 100, drainTimeoutMs: 0 },
      async (jobs) => {
        jobs[0]?.signal.addEventListener("abort", () => reasons.push(jobs[0]?.signal.reason));
        await go.waited;
        return jobs.map(() => "sent");
      },
    );
    onTestFinished(() => worker.stop());
    const [a, b] = [
      await stage.client.enqueue({ queue: "mail" }),
      await stage.client.enqueue({ queue: "mail" }),
    ];
    await until(() => expect(worker.runningCount).toBe(2));
    cancel(stage, a.runId);
    await stage.event("cancelled", a.runId);
    go.release();
    expect(await stage.event("succeeded", b.runId)).toMatchObject({ result: "sent" });
    expect(reasons).toMatchObject([{ why: "cancelled" }]);
    await stage.workIsEmpty();
  });

  test("of the exec worker: the command ends, and nothing else is told", async () => {
    const stage = await Stage.open(server());
    await stage.work("exec", {}, execHandler({ allowShell: true }));
    const payload = { shell: "sleep 600 & sleep 600" };
    const { runId } = await stage.client.enqueue({ queue: "exec", payload });
    await stage.event("started", runId);
    cancel(stage, runId);
    await stage.event("cancelled", runId);
    await stage.workIsEmpty();
    expect(await types(stage, runId)).toEqual(["started", "cancelled"]);
  });

  test("of the http worker: the request is given up", async () => {
    const stage = await Stage.open(server());
    await stage.work("http", {}, httpHandler());
    const silent = await listening();
    const { runId } = await stage.client.enqueue({ queue: "http", payload: { url: silent } });
    await stage.event("started", runId);
    cancel(stage, runId);
    await stage.event("cancelled", runId);
    await stage.workIsEmpty();
  });
});

const waiting =
  (reasons: unknown[]) =>
  ({ signal }: JobContext) =>
    new Promise((_resolve, reject) =>
      signal.addEventListener("abort", () => {
        reasons.push(signal.reason);
        reject(signal.reason);
      }),
    );

/** The URL of a server that never answers. */
async function listening(): Promise<string> {
  const silent = createServer(() => {}).listen(0, "127.0.0.1");
  await new Promise((resolve) => silent.once("listening", resolve));
  onTestFinished(() => void silent.close());
  return `http://127.0.0.1:${(silent.address() as AddressInfo).port}/`;
}
