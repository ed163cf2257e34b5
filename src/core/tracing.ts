/**
 * Spans, for whoever follows a job from its producer to its handler. The context travels in headers of the message
 * (W3C: `traceparent`, `tracestate`), so a producer or a worker without Punctual's SDK can take part.
 */
import type { Instant } from "./schedule.js";

export interface TracedJob {
  queue: string;
  runId: string;
  scheduleId?: string | null | undefined;
}

type Headers = Readonly<Record<string, string>>;

/** A job that is being sent. */
export interface Sending {
  /** What goes along with it: its own headers, and the context; the very same object when there is none. */
  readonly headers: Headers;
  end(error?: unknown): void;
}

export interface Tracing {
  /**
   * A producer puts a job on its queue. A context among `headers` is its parent, else the one that is active. Null when
   * nobody traces.
   */
  enqueue(job: TracedJob, headers: Headers): Sending | null;
  /** A slot is fired: a trace of its own, linked to the context among `headers`. Null when nobody traces. */
  fire(job: TracedJob, headers: Headers, due: Instant): Sending | null;
  /** An attempt, within the context among `headers`; failed when the outcome has an error. */
  run<T extends { readonly kind: string; readonly error?: unknown }>(
    job: TracedJob & { attempt: number },
    headers: Headers,
    attempt: () => Promise<T>,
  ): Promise<T>;
}

export const noTracing: Tracing = {
  enqueue: () => null,
  fire: () => null,
  run: (_job, _headers, attempt) => attempt(),
};
