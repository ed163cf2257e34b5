import { createServer, connect as dial, type Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { Client } from "../../src/client/client.js";
import { connect } from "../../src/connect.js";
import type { PublishOutcome } from "../../src/core/ports.js";
import { openConnection } from "../../src/nats/connection.js";
import { openPorts } from "../../src/nats/open.js";
import { headers as h } from "../../src/protocol/headers.js";
import { systemClock } from "../../src/runtime/clock.js";
import { FaultyWork, noAnswer } from "../support/faults.js";
import { until } from "../support/scene.js";
import { latch, Stage, serverOf } from "../support/stage.js";

const server = serverOf();
/** A stalled pull is noticed and restarted within this time. */
const NOTICED_MS = 5_000;

/** Something between a client and the server that can be cut, or can fall silent. */
async function wireTo(port: number) {
  const pairs = new Set<{ near: Socket; far: Socket }>();
  const listener = createServer((near) => {
    const far = dial(port, "127.0.0.1");
    const pair = { near, far };
    pairs.add(pair);
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) {
      socket.on("error", () => {});
      socket.on("close", () => {
        pairs.delete(pair);
        near.destroy();
        far.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const cut = () => {
    for (const { near } of pairs) near.destroy();
  };
  onTestFinished(() => {
    listener.close();
    cut();
  });
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("the listener has no port");
  return { url: `nats://127.0.0.1:${address.port}`, cut };
}

describe("a restart of the server", () => {
  test("is survived by a worker: jobs from before and after are done, once each", async () => {
    const stage = await Stage.open(server());
    const done = latch();
    const seen = await stage.attempts("default", ({ payload }) =>
      payload === "running" ? done.waited : undefined,
    );
    await stage.client.enqueue({ payload: "running" });
    await until(() => expect(seen).toHaveLength(1));
    await server().restart();
    await stage.client.enqueue({ payload: "after" });
    await until(() => expect(seen.map(({ job }) => job.payload)).toEqual(["running", "after"]));
    done.release(); // its acknowledgement goes over the new connection
    await stage.workIsEmpty();
    expect(seen).toHaveLength(2);
  });

  test("is survived by an orchestrator: schedules go on, no slot is missed or doubled", async () => {
    const stage = await Stage.orchestrated(server());
    const seen = await stage.attempts("default");
    await stage.client.schedules.put("tick", { every: "500ms", overlap: "allow" });
    await until(() => expect(seen.length).toBeGreaterThanOrEqual(2));
    await server().restart();
    const count = seen.length;
    await until(() => expect(seen.length).toBeGreaterThanOrEqual(count + 5));
    await until(async () => {
      await stage.client.schedules.delete("tick");
    });
    await stage.workIsEmpty();
    const times = seen.map(({ job }) => job.fireTime?.getTime() ?? 0).sort((a, b) => a - b);
    const [first = 0] = times;
    expect(times).toEqual(times.map((_, index) => first + index * 500));
  });
});

describe("a dropped connection", () => {
  test("is noticed by a worker, who goes on within five seconds", async () => {
    const stage = await Stage.open(server());
    // What was on the wire comes again after the ack wait.
    await stage.ensureQueue("default", { ackWaitMs: 2_000 });
    const wire = await wireTo(server().port);
    const worker = await connect({ servers: wire.url, namespace: stage.names.namespace });
    onTestFinished(() => worker.close());
    const seen: unknown[] = [];
    const working = await worker.work("default", { drainTimeoutMs: 0 }, ({ payload }) => seen.push(payload));
    onTestFinished(() => working.stop());
    for (const round of [1, 2, 3]) {
      wire.cut();
      const cutAt = performance.now();
      await stage.client.enqueue({ payload: round });
      // An acknowledgement that was on the wire when it was cut is lost: an earlier one may come again.
      await until(() => expect(seen).toContain(round));
      expect(performance.now() - cutAt).toBeLessThan(NOTICED_MS);
    }
    await stage.workIsEmpty();
  });

  test("holds up a client, but loses nothing that it enqueues meanwhile", async () => {
    const stage = await Stage.open(server());
    const wire = await wireTo(server().port);
    const producer = await connect({ servers: wire.url, namespace: stage.names.namespace });
    onTestFinished(() => producer.close());
    await producer.client.enqueue({ jobId: "before" });
    wire.cut();
    const requests = Array.from({ length: 50 }, (_, n) => ({ jobId: `job-${n}` }));
    const outcomes = await Promise.all(requests.map((request) => producer.client.enqueue(request)));
    expect(outcomes.every(({ accepted }) => accepted)).toBe(true);
    expect(await stage.inWork()).toHaveLength(51);
  });
});

describe("a consumer that is deleted and made again", () => {
  test("is found by the worker within five seconds", async () => {
    const stage = await Stage.open(server());
    const seen = await stage.attempts("moved");
    await stage.client.enqueue({ queue: "moved", payload: 1 });
    await stage.workIsEmpty();
    await stage.jsm.consumers.delete(stage.names.work, stage.names.consumer("moved"));
    await stage.ensureQueue("moved");
    const madeAt = performance.now();
    await stage.client.enqueue({ queue: "moved", payload: 2 });
    await until(() => expect(seen.map(({ job }) => job.payload)).toEqual([1, 2]));
    expect(performance.now() - madeAt).toBeLessThan(NOTICED_MS);
  });

  test("is found even if it was away for a while", async () => {
    const stage = await Stage.open(server());
    const seen = await stage.attempts("moved");
    const deletedAt = performance.now();
    await stage.jsm.consumers.delete(stage.names.work, stage.names.consumer("moved"));
    await stage.client.enqueue({ queue: "moved" });
    await until(() => expect(performance.now() - deletedAt).toBeGreaterThan(3_000));
    const madeAt = performance.now();
    await stage.ensureQueue("moved");
    await until(() => expect(seen).toHaveLength(1));
    expect(performance.now() - madeAt).toBeLessThan(NOTICED_MS);
  });
});

describe("an enqueue that is not answered", () => {
  /** A client whose publishes can go wrong. */
  async function faultyClient(stage: Stage) {
    const connection = await openConnection({ servers: server().url }, "ends with the connection");
    onTestFinished(() => connection.close());
    const { names } = stage;
    const settings = { names, clock: systemClock, replicas: 1, shards: undefined, version: "0.0.0" };
    const ports = await openPorts(connection, settings);
    const work = new FaultyWork(ports.work);
    return { work, client: new Client({ ...ports, work }) };
  }

  test("but was stored is repeated under the same message id, and is one job", async () => {
    const stage = await Stage.open(server());
    const { work, client } = await faultyClient(stage);
    const faults = [true, true, false];
    const outcomes: PublishOutcome["kind"][] = [];
    work.onRun = async (_message, send) => {
      const outcome = await send();
      outcomes.push(outcome.kind);
      return faults.shift() ? noAnswer() : outcome;
    };
    expect(await client.enqueue({ jobId: "once" })).toEqual({
      runId: "once",
      accepted: true,
      state: "queued",
    });
    expect(new Set(work.published)).toEqual(new Set(["once/1"]));
    expect(outcomes).toEqual(["stored", "duplicate", "duplicate"]);
    const stored = await stage.messages(stage.names.work);
    expect(stored.map(({ header }) => header.get(h.msgId))).toEqual(["once/1"]);
  });

  test("and was stored and done is not stored again", async () => {
    const stage = await Stage.open(server());
    const { work, client } = await faultyClient(stage);
    const seen = await stage.attempts("default");
    work.onRun = async (_message, send) => {
      const outcome = await send();
      if (outcome.kind !== "stored") return outcome;
      await stage.workIsEmpty();
      return noAnswer();
    };
    expect(await client.enqueue({ jobId: "once" })).toEqual({
      runId: "once",
      accepted: true,
      state: "queued",
    });
    expect(seen).toHaveLength(1);
    expect(await stage.inWork()).toEqual([]);
  });

  test("and was not stored is sent again", async () => {
    const stage = await Stage.open(server());
    const { work, client } = await faultyClient(stage);
    let tries = 0;
    work.onRun = async (_message, send) => (++tries < 3 ? noAnswer() : send());
    expect(await client.enqueue({ jobId: "late" })).toMatchObject({ accepted: true, state: "queued" });
    expect(work.published).toEqual(["late/1", "late/1", "late/1"]);
    expect(await stage.inWork()).toHaveLength(1);
  });

  test("however often it is sent is a timeout in the end, which says so", async () => {
    const stage = await Stage.open(server());
    const { work, client } = await faultyClient(stage);
    work.onRun = async () => noAnswer();
    await expect(client.enqueue({ jobId: "never" })).rejects.toMatchObject({
      code: "timeout",
      message: expect.stringMatching(/no answer from the server after 5 tries/),
    });
    expect(work.published).toEqual(Array.from({ length: 5 }, () => "never/1"));
  });
});
