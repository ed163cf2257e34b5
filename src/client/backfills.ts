import type { Reprocess } from "../core/backfill.js";
import type { ApiCaller } from "../core/ports.js";
import type { Instant } from "../core/schedule.js";
import type { ApiRequest, ApiResponse } from "../protocol/api.js";
import type { BackfillView } from "../protocol/backfill.js";
import { ask, given, isoOf } from "./requests.js";

export interface BackfillOptions {
  /** The first and the last instant of the range, which has passed. */
  from: Date | Instant;
  to: Date | Instant;
  /** `10/s`, `30/m`, `5/h`. Default `10/s`. */
  rate?: string | undefined;
  /**
   * Which slots run that have had their turn: `none`; `failed`, those that were skipped, missed, expired or failed;
   * `all`. Default `none`.
   */
  reprocess?: Reprocess | undefined;
  /** The newest slot first. Default false. */
  backwards?: boolean | undefined;
}

/** What a backfill would do. */
export type BackfillPlan = NonNullable<ApiResponse<"backfill.create">["plan"]>;

/** Runs of slots of the past. Errors as with schedules. */
export class Backfills {
  readonly #api: ApiCaller;
  readonly #author: { author?: string };

  /** @param author told with what is begun */
  constructor(api: ApiCaller, author?: string) {
    this.#api = api;
    this.#author = author === undefined ? {} : { author };
  }

  /**
   * Runs the slots of a range, at a rate of its own, in the low lane of the schedule's queue. Resolves when it has begun.
   * Throws `not_found`, and `invalid` when there are no fire times in the range.
   */
  async start(scheduleId: string, options: BackfillOptions): Promise<BackfillView> {
    const request = { ...requestOf(scheduleId, options), ...this.#author };
    return (await ask(this.#api, "backfill.create", request)).backfill as BackfillView;
  }

  /** What `start` would do; nothing is run. */
  async plan(scheduleId: string, options: BackfillOptions): Promise<BackfillPlan> {
    const request = { ...requestOf(scheduleId, options), dryRun: true };
    return (await ask(this.#api, "backfill.create", request)).plan as BackfillPlan;
  }

  /** Those that run, and those that were over in the last 30 days; the newest first. */
  async list(options: { scheduleId?: string | undefined } = {}): Promise<BackfillView[]> {
    return (await ask(this.#api, "backfill.list", given(options))).backfills;
  }

  get(id: string): Promise<BackfillView> {
    return ask(this.#api, "backfill.get", { id });
  }

  /** It goes no further; what is queued stays. */
  cancel(id: string): Promise<BackfillView> {
    return ask(this.#api, "backfill.cancel", { id });
  }
}

function requestOf(scheduleId: string, options: BackfillOptions): ApiRequest<"backfill.create"> {
  const { from, to, ...rest } = options;
  return { scheduleId, from: isoOf(from, "from"), to: isoOf(to, "to"), ...given(rest) };
}
