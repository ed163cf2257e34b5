import type { ApiCaller } from "../core/ports.js";
import { isOver, type RunState } from "../core/run.js";
import type { Instant } from "../core/schedule.js";
import type { ApiRequest, ApiResponse } from "../protocol/api.js";
import type { RunLogLine, RunSummary, RunView } from "../protocol/run-api.js";
import { ask, given, isoOf } from "./requests.js";

/** Which runs are meant; all that is given must hold. */
export interface RunsFilter {
  scheduleId?: string | undefined;
  queue?: string | undefined;
  states?: RunState[] | undefined;
  /** Labels of the job or of its schedule: `team=billing,env!=test,urgent,!legacy`. */
  selector?: string | undefined;
  /** Id of a worker that had an attempt of it. */
  worker?: string | undefined;
  /** When it was queued, or told to be skipped or missed: not earlier, not later. */
  from?: Date | Instant | undefined;
  to?: Date | Instant | undefined;
}

export interface LogOptions {
  /** Goes on until the run is over. Default: ends with what there is. */
  follow?: boolean | undefined;
}

/** What ran, runs and did not run, as far as RUNS remembers. `unavailable`: no orchestrator answers. */
export class Runs {
  readonly #api: ApiCaller;

  readonly #author: { author?: string };

  /** @param author told with what is cancelled and run again */
  constructor(api: ApiCaller, author?: string) {
    this.#api = api;
    this.#author = author === undefined ? {} : { author };
  }

  /** The newest first, page after page, for as long as somebody takes them. */
  async *list(
    filter: RunsFilter = {},
    options: { pageSize?: number | undefined } = {},
  ): AsyncGenerator<RunSummary, void, undefined> {
    let after: string | null = null;
    do {
      const page: ApiResponse<"run.list"> = await ask(this.#api, "run.list", {
        ...requestOf(filter),
        ...given({ limit: options.pageSize, after: after ?? undefined }),
      });
      yield* page.runs;
      after = page.next;
    } while (after !== null);
  }

  /** Everything that is known of it. Throws `not_found`. */
  get(id: string): Promise<RunView> {
    return ask(this.#api, "run.get", { id });
  }

  /**
   * A run as it is now, and again whenever it has changed, until it is over. Short-lived states may be passed over.
   * Throws `not_found`.
   */
  async *watch(id: string): AsyncGenerator<RunSummary, void, undefined> {
    for await (const run of this.#changes({ id })) {
      yield run;
      if (isOver(run.state)) return;
    }
  }

  /** Every run that is meant, whenever it has changed from now on; for ever. */
  watchAll(filter: RunsFilter = {}): AsyncGenerator<RunSummary, void, undefined> {
    return this.#changes(requestOf(filter));
  }

  /** The lines of its log, the oldest first. Throws `not_found`. */
  async *logs(id: string, options: LogOptions = {}): AsyncGenerator<RunLogLine, void, undefined> {
    let skip = 0;
    for (let changes: AsyncIterator<RunSummary> | undefined; ; ) {
      const { lines, total, isOver: isDone } = await ask(this.#api, "run.logs", { id, skip });
      yield* lines;
      skip += lines.length;
      if (skip < total) continue;
      if (isDone || options.follow !== true) return;
      changes ??= this.watch(id);
      await changes.next();
    }
  }

  /**
   * Ends a run: `signalled`, a worker that has it was told, and ends it as its handler lets it; `removed`, it was taken
   * from its queue.
   *
   * Throws `conflict` when it is over, or when a worker has it that cannot be told (`force` takes it from the queue all
   * the same), and `not_found`.
   */
  async cancel(id: string, options: { force?: boolean | undefined } = {}): Promise<"signalled" | "removed"> {
    const request = { id, ...given(options), ...this.#author };
    return (await ask(this.#api, "run.cancel", request)).outcome;
  }

  /**
   * Runs it once more, as a run of its own: from its dead letter, or, if a schedule fired it, as that is now. Throws
   * `conflict` when it is not over, or its payload is no longer kept, and `not_found`.
   */
  retry(id: string): Promise<ApiResponse<"run.retry">> {
    return ask(this.#api, "run.retry", { id, ...this.#author });
  }

  async *#changes(of: ApiRequest<"run.watch">): AsyncGenerator<RunSummary, void, undefined> {
    for (let after: string | undefined; ; ) {
      const page: ApiResponse<"run.watch"> = await ask(this.#api, "run.watch", {
        ...of,
        ...given({ after }),
      });
      yield* page.runs;
      after = page.next;
    }
  }
}

function requestOf({ from, to, ...rest }: RunsFilter) {
  return given({
    ...rest,
    from: from === undefined ? undefined : isoOf(from, "from"),
    to: to === undefined ? undefined : isoOf(to, "to"),
  });
}
