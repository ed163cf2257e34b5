import { SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { describe, expect, it } from "vitest";
import { OtelTracing } from "../../src/tracing/otel.js";
import { traced, traceparentOf } from "./support.js";

const tracing = new OtelTracing("1.2.3");
const job = { queue: "mail", runId: "r-1" };
const PRODUCER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

describe("without an SDK in the process", () => {
  it("headers go along as they are", () => {
    const headers = { traceparent: PRODUCER, "X-Mine": "1" };
    expect(tracing.enqueue(job, headers)).toBeNull();
    expect(tracing.fire(job, headers, 0)).toBeNull();
  });

  it("an attempt is just made", async () => {
    expect(await tracing.run({ ...job, attempt: 1 }, {}, async () => ({ kind: "failed", error: 1 }))).toEqual(
      {
        kind: "failed",
        error: 1,
      },
    );
  });
});

describe("with an SDK", () => {
  it("a producer's span is a child of the active one, and goes along in the headers", () => {
    const { tracer, named } = traced();
    tracer.startActiveSpan("request", (request) => {
      const sending = tracing.enqueue(job, { "X-Mine": "1" });
      sending?.end();
      const [span] = named("enqueue mail");
      expect(span).toMatchObject({ kind: SpanKind.PRODUCER, status: { code: SpanStatusCode.UNSET } });
      expect(span?.parentSpanContext?.spanId).toBe(request.spanContext().spanId);
      expect(span?.attributes).toEqual({
        "messaging.system": "nats",
        "messaging.operation.name": "enqueue",
        "messaging.operation.type": "send",
        "messaging.destination.name": "mail",
        "messaging.message.id": "r-1",
      });
      expect(sending?.headers).toEqual({ "X-Mine": "1", traceparent: traceparentOf(span as never) });
      request.end();
    });
  });

  it("a context that the producer gave by hand is the parent", () => {
    const { named } = traced();
    tracing.enqueue(job, { traceparent: PRODUCER })?.end();
    expect(named("enqueue mail")[0]?.parentSpanContext?.spanId).toBe("b7ad6b7169203331");
  });

  it("an enqueue that fails tells why", () => {
    const { named } = traced();
    tracing.enqueue(job, {})?.end(new Error("the queue is full"));
    const [span] = named("enqueue mail");
    expect(span?.status).toEqual({ code: SpanStatusCode.ERROR, message: "the queue is full" });
    expect(span?.events[0]?.attributes?.["exception.message"]).toBe("the queue is full");
  });

  it("a fire begins a trace of its own at its time, linked to whoever made the schedule", () => {
    const { tracer, named } = traced();
    tracer.startActiveSpan("tick", (tick) => {
      const due = Date.UTC(2026, 0, 1, 3);
      tracing.fire({ ...job, scheduleId: "nightly" }, { traceparent: PRODUCER }, due)?.end();
      const [span] = named("fire mail");
      expect(span?.parentSpanContext).toBeUndefined();
      expect(span?.startTime).toEqual([due / 1_000, 0]);
      expect(span?.links.map(({ context }) => context.spanId)).toEqual(["b7ad6b7169203331"]);
      expect(span?.attributes["punctual.schedule.id"]).toBe("nightly");
      tick.end();
    });
  });

  it("an attempt is a child of what sent its job, and the handler's own spans are children of it", async () => {
    const { tracer, named } = traced();
    await tracing.run({ ...job, attempt: 2 }, { Traceparent: PRODUCER }, async () => {
      tracer.startActiveSpan("query", (query) => query.end());
      return { kind: "succeeded" };
    });
    const [span] = named("run mail");
    expect(span).toMatchObject({
      kind: SpanKind.CONSUMER,
      parentSpanContext: { spanId: "b7ad6b7169203331" },
    });
    expect(span?.attributes).toMatchObject({ "messaging.operation.type": "process", "punctual.attempt": 2 });
    expect(named("query")[0]?.parentSpanContext?.spanId).toBe(span?.spanContext().spanId);
  });

  it("an attempt that fails is an error", async () => {
    const { named } = traced();
    const error = new Error("no such address");
    await tracing.run({ ...job, attempt: 1 }, {}, async () => ({ kind: "failed", error }));
    expect(named("run mail")[0]?.status).toEqual({ code: SpanStatusCode.ERROR, message: "no such address" });
  });

  it("is found when it is registered later", () => {
    const early = new OtelTracing("1.2.3");
    early.enqueue(job, {})?.end();
    const { spans } = traced();
    early.enqueue(job, {})?.end();
    expect(spans()).toHaveLength(1);
    expect(trace.getActiveSpan()).toBeUndefined();
  });
});
