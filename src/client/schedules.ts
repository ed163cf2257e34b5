import type { ApiCaller } from "../core/ports.js";
import type { Instant } from "../core/schedule.js";
import type { ApiRequest, ApiResponse, ScheduleView } from "../protocol/api.js";
import type { Enqueued } from "../protocol/enqueue-input.js";
import type { ScheduleHistory } from "../protocol/history.js";
import type { ScheduleInput } from "../protocol/schedule-input.js";
import { ask, given, isoOf } from "./requests.js";

export interface PutOptions {
  /** Only if the stored revision is still this one; 0: only if there is none. Else `conflict`. */
  ifRevision?: number | undefined;
}

/**
 * What to change of a schedule: what is given. As in JSON Merge Patch (RFC 7396), null removes a field (it is as by
 * default then), and objects such as `retry`, `labels` and the payload are changed field by field.
 */
export type SchedulePatch = { [F in keyof ScheduleInput]?: unknown };

export interface BulkResult {
  /** Schedules that the selector picked. */
  matched: number;
  /** Those that were not so already. */
  changed: number;
  failed: { id: string; message: string }[];
}

export interface PauseOptions {
  /** It resumes by itself then. Default: until it is resumed. */
  until?: Date | Instant | undefined;
}

export interface PreviewOptions {
  /** Fire times after this one. Default: now, by the clock of the orchestrator that answers. */
  from?: Date | Instant | undefined;
  /** 1 to 1,000. Default 10. */
  count?: number | undefined;
  /** IANA zone of the local times. Default: that of the cron line, else UTC. */
  timeZone?: string | undefined;
}

export interface PreviewedFire {
  at: Date;
  /** By the clock of the zone: RFC 3339 with its offset. */
  local: string;
  /** What a change of the clocks has to do with it. */
  note: string | null;
}

export interface Preview {
  fires: PreviewedFire[];
  timeZone: string;
  /** The release of the tz data that the orchestrator used, as `2025c`. */
  tzData: string;
}

export type ScheduleExplanation = ApiResponse<"schedule.explain">;
export type Verification = ApiResponse<"verify.range">;

/** Of one triggered run. */
export type TriggerOverrides = Pick<ApiRequest<"schedule.trigger">, "overlap" | "payload" | "headers">;

/**
 * The schedules of a namespace. Every request is checked here before it is sent: `invalid` names the fields.
 * `unavailable`: no orchestrator answers.
 */
export class Schedules {
  readonly #api: ApiCaller;
  readonly #author: { author?: string };

  /** @param author told with every change, for the history */
  constructor(api: ApiCaller, author?: string) {
    this.#api = api;
    this.#author = author === undefined ? {} : { author };
  }

  /** Makes the schedule, or replaces the one with this id. Slots that were decided before stay as they are. */
  put(id: string, schedule: ScheduleInput, options: PutOptions = {}): Promise<ScheduleView> {
    return ask(this.#api, "schedule.put", { id, schedule, ...given(options), ...this.#author });
  }

  /** Changes what is given and leaves the rest as it is. Throws `not_found`, `conflict`, `invalid`. */
  patch(id: string, patch: SchedulePatch, options: PutOptions = {}): Promise<ScheduleView> {
    const fields = patch as ApiRequest<"schedule.patch">["patch"];
    return ask(this.#api, "schedule.patch", { id, patch: fields, ...given(options), ...this.#author });
  }

  /** Throws `not_found` when there is none. */
  get(id: string): Promise<ScheduleView> {
    return ask(this.#api, "schedule.get", { id });
  }

  /**
   * Every schedule, by id, page after page.
   *
   * @param options.selector only those with such labels: `team=billing,env!=test,urgent,!legacy`
   */
  async *list(
    options: { pageSize?: number; selector?: string | undefined } = {},
  ): AsyncGenerator<ScheduleView, void, undefined> {
    let after: string | null = null;
    do {
      const page: ApiResponse<"schedule.list"> = await ask(this.#api, "schedule.list", {
        ...(after !== null && { after }),
        ...(options.pageSize !== undefined && { limit: options.pageSize }),
        ...given({ selector: options.selector }),
      });
      yield* page.schedules;
      after = page.next;
    } while (after !== null);
  }

  async delete(id: string, options: PutOptions = {}): Promise<void> {
    await ask(this.#api, "schedule.delete", { id, ...given(options), ...this.#author });
  }

  /** Slots that fall due while it is paused are not fired, and not made up for. */
  pause(id: string, note?: string, options: PauseOptions = {}): Promise<ScheduleView> {
    const until = options.until === undefined ? undefined : isoOf(options.until, "until");
    return ask(this.#api, "schedule.pause", { id, ...given({ note, until }), ...this.#author });
  }

  resume(id: string): Promise<ScheduleView> {
    return ask(this.#api, "schedule.resume", { id, ...this.#author });
  }

  /** Pauses every schedule with such labels. Those that are paused already stay as they are, unless the note differs. */
  pauseAll(selector: string, note?: string, options: PauseOptions = {}): Promise<BulkResult> {
    const until = options.until === undefined ? undefined : isoOf(options.until, "until");
    return this.#bulk({ action: "pause", selector, ...given({ note, until }) });
  }

  resumeAll(selector: string): Promise<BulkResult> {
    return this.#bulk({ action: "resume", selector });
  }

  /** Runs it once, now, beside its fire times; what is given takes the place of what the schedule says. */
  trigger(id: string, overrides: TriggerOverrides = {}): Promise<Enqueued> {
    return ask(this.#api, "schedule.trigger", { id, ...given(overrides), ...this.#author });
  }

  /**
   * Whether every slot of a range ended once: fired, skipped, missed or expired. What the history no longer keeps is
   * `unknown`.
   *
   * @param scheduleId default: every schedule
   */
  verify(from: Date | Instant, to: Date | Instant, scheduleId?: string): Promise<Verification> {
    const range = { from: isoOf(from, "from"), to: isoOf(to, "to") };
    return ask(this.#api, "verify.range", { ...range, ...given({ scheduleId }) });
  }

  /**
   * Why it did, or did not, or will, or will not run at an instant: a stable code, a sentence, the events of the run. Of
   * a schedule that was deleted too.
   */
  explain(id: string, at: Date | Instant): Promise<ScheduleExplanation> {
    return ask(this.#api, "schedule.explain", { id, at: isoOf(at, "at") });
  }

  /** Who changed it when, and what, as far back as revisions are kept; of one that was deleted too. */
  history(id: string): Promise<ScheduleHistory> {
    return ask(this.#api, "schedule.history", { id });
  }

  /** The next fire times of a stored schedule, or of one that is not stored (hashed values need an id). */
  async preview(
    of: { id: string } | { schedule: ScheduleInput },
    options: PreviewOptions = {},
  ): Promise<Preview> {
    const { from, count, timeZone } = options;
    const { fires, ...rest } = await ask(this.#api, "schedule.preview", {
      ...of,
      ...(from !== undefined && { from: isoOf(from, "from") }),
      ...(count !== undefined && { count }),
      ...(timeZone !== undefined && { timeZone }),
    });
    return { fires: fires.map((fire) => ({ ...fire, at: new Date(fire.at) })), ...rest };
  }

  async #bulk(
    request: Pick<ApiRequest<"schedule.bulk">, "action" | "selector" | "note" | "until">,
  ): Promise<BulkResult> {
    const sum: BulkResult = { matched: 0, changed: 0, failed: [] };
    let after: string | null = null;
    do {
      const page: ApiResponse<"schedule.bulk"> = await ask(this.#api, "schedule.bulk", {
        ...request,
        ...this.#author,
        ...(after !== null && { after }),
      });
      sum.matched += page.matched;
      sum.changed += page.changed;
      sum.failed.push(...page.failed);
      after = page.next;
    } while (after !== null);
    return sum;
  }
}
