/** One trace from the producer to the handler, whichever way a job takes. */
import { headers as natsHeaders } from "@nats-io/transport-node";
import { expect, test } from "vitest";
import { until } from "../support/scene.js";
import { Stage, serverOf } from "../support/stage.js";
import { traced, traceparentOf } from "../tracing/support.js";

const server = serverOf();
const PRODUCER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

test("straight to the queue: enqueue is the parent of run", async () => {
  const { named } = traced();
  const stage = await Stage.open(server());
  const seen = await stage.attempts("mail");
  const { runId } = await stage.client.enqueue({ queue: "mail", payload: 1 });
  const [run] = await until(() => {
    expect(named("run mail")).toHaveLength(1);
    return named("run mail");
  });
  const [enqueue] = named("enqueue mail");
  expect(run?.parentSpanContext?.spanId).toBe(enqueue?.spanContext().spanId);
  expect(run?.attributes["messaging.message.id"]).toBe(runId);
  expect(seen[0]?.job.headers.traceparent).toBe(traceparentOf(enqueue as never));
});

test("by the front door: a producer in any language is the parent of run", async () => {
  const { named } = traced();
  const stage = await Stage.orchestrated(server());
  await stage.attempts("mail");
  const headers = natsHeaders();
  headers.set("traceparent", PRODUCER);
  headers.set("tracestate", "vendor=1");
  await stage.js.publish(stage.names.enqueue("mail"), "{}", { headers });
  const [run] = await until(() => {
    expect(named("run mail")).toHaveLength(1);
    return named("run mail");
  });
  expect(run?.parentSpanContext?.spanId).toBe("b7ad6b7169203331");
  expect(run?.spanContext().traceState?.get("vendor")).toBe("1");
});

test("by a schedule: the fire is linked to its maker and is the parent of run", async () => {
  const { named } = traced();
  const stage = await Stage.orchestrated(server());
  const seen = await stage.attempts("mail");
  await stage.client.schedules.put("often", {
    every: 100,
    queue: "mail",
    headers: { traceparent: PRODUCER },
  });
  const [run] = await until(() => {
    expect(named("run mail").length).toBeGreaterThan(0);
    return named("run mail");
  });
  const runId = run?.attributes["messaging.message.id"];
  // The answer to its publish may come after the run.
  const fire = await until(() => {
    const found = named("fire mail").find((span) => span.attributes["messaging.message.id"] === runId);
    expect(found).toBeDefined();
    return found;
  });
  expect(fire?.links.map(({ context }) => context.spanId)).toEqual(["b7ad6b7169203331"]);
  expect(run?.parentSpanContext?.spanId).toBe(fire?.spanContext().spanId);
  const due = Number(seen[0]?.job.fireTime);
  expect(fire?.startTime).toEqual([Math.floor(due / 1_000), (due % 1_000) * 1e6]);
});

test("what follows upon a job that is traced follows", async () => {
  traced();
  const stage = await Stage.orchestrated(server());
  await stage.attempts("mail");
  const after = await stage.attempts("after");
  await stage.client.enqueue({ queue: "mail", jobId: "a", onSuccess: { queue: "after" } });
  await until(() => expect(after.map(({ runId }) => runId)).toEqual(["a:then"]));
});
