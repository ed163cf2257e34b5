/**
 * Spans by the API of OpenTelemetry, named by its conventions for messaging. Without an SDK in the process the API does
 * nothing, and neither does this.
 */
import {
  type Attributes,
  type Context,
  context,
  isSpanContextValid,
  ProxyTracerProvider,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TextMapGetter,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import { messageOf } from "../core/errors.js";
import type { Sending, TracedJob, Tracing } from "../core/tracing.js";

type Headers = Readonly<Record<string, string>>;

/** Clients of some languages write the names of headers with capitals. */
const getter: TextMapGetter<Headers> = {
  keys: (headers) => Object.keys(headers),
  get: (headers, key) =>
    headers[key] ?? Object.entries(headers).find(([name]) => name.toLowerCase() === key)?.[1],
};

export class OtelTracing implements Tracing {
  readonly #version: string;

  constructor(version: string) {
    this.#version = version;
  }

  enqueue(job: TracedJob, headers: Headers): Sending | null {
    if (this.#isSilent()) return null;
    const parent = propagation.extract(context.active(), headers, getter);
    const options = { kind: SpanKind.PRODUCER, attributes: attributesOf(job, "enqueue", "send") };
    const span = this.#tracer.startSpan(`enqueue ${job.queue}`, options, parent);
    return sendingOf(span, parent, headers);
  }

  fire(job: TracedJob, headers: Headers, due: number): Sending | null {
    const options = {
      kind: SpanKind.PRODUCER,
      root: true,
      startTime: due,
      links: linksTo(headers),
      attributes: attributesOf(job, "fire", "send"),
    };
    const span = this.#tracer.startSpan(`fire ${job.queue}`, options, ROOT_CONTEXT);
    return isSpanContextValid(span.spanContext()) ? sendingOf(span, ROOT_CONTEXT, headers) : null;
  }

  async run<T extends { readonly kind: string; readonly error?: unknown }>(
    job: TracedJob & { attempt: number },
    headers: Headers,
    attempt: () => Promise<T>,
  ): Promise<T> {
    if (this.#isSilent()) return attempt();
    const parent = propagation.extract(ROOT_CONTEXT, headers, getter);
    const attributes = { ...attributesOf(job, "run", "process"), "punctual.attempt": job.attempt };
    const options = { kind: SpanKind.CONSUMER, attributes };
    const span = this.#tracer.startSpan(`run ${job.queue}`, options, parent);
    const outcome = await context.with(trace.setSpan(parent, span), attempt);
    end(span, outcome.error);
    return outcome;
  }

  /** Whether no SDK is there: neither a tracer, nor anything that passes a context on. */
  #isSilent(): boolean {
    const provider = trace.getTracerProvider();
    return (
      provider instanceof ProxyTracerProvider &&
      provider.getDelegateTracer("punctual", this.#version) === undefined &&
      propagation.fields().length === 0
    );
  }

  /** Asked anew each time: an SDK may be registered later. */
  get #tracer(): Tracer {
    return trace.getTracer("punctual", this.#version);
  }
}

function attributesOf({ queue, runId, scheduleId }: TracedJob, name: string, type: string): Attributes {
  return {
    "messaging.system": "nats",
    "messaging.operation.name": name,
    "messaging.operation.type": type,
    "messaging.destination.name": queue,
    "messaging.message.id": runId,
    ...(scheduleId != null && { "punctual.schedule.id": scheduleId }),
  };
}

function linksTo(headers: Headers) {
  const linked = trace.getSpanContext(propagation.extract(ROOT_CONTEXT, headers, getter));
  return linked === undefined ? [] : [{ context: linked }];
}

function sendingOf(span: Span, parent: Context, headers: Headers): Sending {
  const carrier: Record<string, string> = {};
  propagation.inject(trace.setSpan(parent, span), carrier);
  const isTraced = Object.keys(carrier).length > 0;
  return { headers: isTraced ? { ...headers, ...carrier } : headers, end: (error) => end(span, error) };
}

function end(span: Span, error: unknown): void {
  if (error !== undefined) {
    span.recordException(error instanceof Error ? error : messageOf(error));
    span.setStatus({ code: SpanStatusCode.ERROR, message: messageOf(error) });
  }
  span.end();
}
