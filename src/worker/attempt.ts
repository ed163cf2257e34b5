/**
 * One call of a handler, with everything that can end it: it returns, it throws, its time is up, it is cancelled,
 * or the worker has to stop.
 *
 * An aborted handler gets a grace to end by itself, because until it has, the job's message must stay in
 * progress: given back earlier, the job would run twice at once. After the grace the attempt is over whatever the
 * handler does, and its late result is dropped.
 */
import { messageOf, PunctualError } from "../core/errors.js";
import type { Clock } from "../core/ports.js";

export type AbortWhy = "timeout" | "cancelled" | "stopped";

const CODES = { timeout: "timeout", cancelled: "conflict", stopped: "unavailable" } as const;

/** The reason of a job's signal. */
export class AbortReason extends PunctualError {
  /** Its time was up, somebody cancelled the run, or the worker stopped. */
  readonly why: AbortWhy;

  constructor(why: AbortWhy, message: string) {
    super(CODES[why], message);
    this.why = why;
  }
}

export type AttemptOutcome =
  | { kind: "succeeded"; value: unknown }
  | { kind: "failed"; error: unknown }
  /** Aborted because the worker stops. */
  | { kind: "interrupted"; error: unknown }
  /** Aborted because somebody asked for it. */
  | { kind: "cancelled"; error: unknown };

export class Attempt {
  readonly #clock: Clock;
  readonly #graceMs: number;
  #controller: AbortController | undefined;
  /** Why it was aborted. */
  #aborted: AbortReason | undefined;
  /** Also of one that was aborted for something else before: it is not tried again. */
  #isCancelled = false;
  /** There while the handler runs. */
  #end: ((outcome: AttemptOutcome) => void) | undefined;
  #cancelTimer: () => void = () => {};

  constructor(clock: Clock, graceMs: number) {
    this.#clock = clock;
    this.#graceMs = graceMs;
  }

  /** Made when it is asked for: it costs more than all the rest of a short job. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted !== undefined) this.#controller.abort(this.#aborted);
    }
    return this.#controller.signal;
  }

  /** Why it was aborted, if it was. */
  get aborted(): AbortReason | undefined {
    return this.#aborted;
  }

  /** @param timeoutMs 0: no limit */
  async run(handle: () => unknown, timeoutMs: number): Promise<AttemptOutcome> {
    if (timeoutMs > 0)
      this.#cancelTimer = this.#clock.after(timeoutMs, () =>
        this.#abort(new AbortReason("timeout", `timed out after ${timeoutMs} ms`)),
      );
    const outcome = await new Promise<AttemptOutcome>((resolve) => {
      this.#end = resolve;
      const failed = (error: unknown) => resolve({ kind: "failed", error });
      // A handler that throws at once must fail its attempt like one that rejects.
      try {
        Promise.resolve(handle()).then((value) => resolve({ kind: "succeeded", value }), failed);
      } catch (error) {
        failed(error);
      }
    });
    this.#end = undefined;
    this.#cancelTimer();
    return this.#signalAware(outcome);
  }

  /** The worker stops and can wait no longer. */
  interrupt(): void {
    this.#abort(new AbortReason("stopped", "the worker was stopped"));
  }

  /** Somebody asked for its end. */
  cancel(): void {
    this.#isCancelled = true;
    this.#abort(new AbortReason("cancelled", "the run was cancelled"));
  }

  get isCancelled(): boolean {
    return this.#isCancelled;
  }

  /** The signal tells the first reason only. */
  #abort(reason: AbortReason): void {
    if (this.#aborted !== undefined) return;
    this.#cancelTimer();
    const end = this.#end;
    if (end !== undefined)
      this.#cancelTimer = this.#clock.after(this.#graceMs, () => end({ kind: "failed", error: reason }));
    this.#aborted = reason;
    this.#controller?.abort(reason);
  }

  /** After a timeout every result is too late; work that was finished in spite of another end is finished. */
  #signalAware(outcome: AttemptOutcome): AttemptOutcome {
    const aborted = this.#aborted;
    if (aborted === undefined) return outcome;
    if (aborted.why !== "timeout" && outcome.kind === "succeeded") return outcome;
    const error = reasonOf(aborted, outcome);
    if (this.#isCancelled) return { kind: "cancelled", error };
    return { kind: aborted.why === "timeout" ? "failed" : "interrupted", error };
  }
}

/** Why it was aborted, with what the handler had to say to it. */
function reasonOf(reason: PunctualError, outcome: AttemptOutcome): unknown {
  if (outcome.kind === "succeeded" || outcome.error === reason || isAbortError(outcome.error)) return reason;
  return new PunctualError(reason.code, `${reason.message}; ${messageOf(outcome.error)}`, {
    cause: outcome.error,
  });
}

const isAbortError = (error: unknown): boolean => error instanceof Error && error.name === "AbortError";
