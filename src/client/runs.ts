import type { ApiCaller } from "../core/ports.js";
import type { RunState } from "../core/run.js";
import type { Instant } from "../core/schedule.js";
import type { ApiResponse } from "../protocol/api.js";
import type { RunSummary, RunView } from "../protocol/run-api.js";
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

/** What ran, runs and did not run, as far as RUNS remembers. `unavailable`: no orchestrator answers. */
export class Runs {
  readonly #api: ApiCaller;

  constructor(api: ApiCaller) {
    this.#api = api;
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
}

function requestOf({ from, to, ...rest }: RunsFilter) {
  return given({
    ...rest,
    from: from === undefined ? undefined : isoOf(from, "from"),
    to: to === undefined ? undefined : isoOf(to, "to"),
  });
}
