import type { z } from "zod";
import { invalid } from "../core/errors.js";
import type { ApiCaller } from "../core/ports.js";
import type { Instant } from "../core/schedule.js";
import {
  type ApiRequest,
  type ApiResponse,
  type Endpoint,
  type Enqueued,
  endpoints,
  type ScheduleView,
} from "../protocol/api.js";
import { parseWith } from "../protocol/parse.js";
import type { ScheduleInput } from "../protocol/schedule-input.js";

export interface PutOptions {
  /** Only if the stored revision is still this one; 0: only if there is none. Else `conflict`. */
  ifRevision?: number | undefined;
}

export interface PreviewOptions {
  /** Fire times after this one. Default: now, by the clock of the orchestrator that answers. */
  from?: Date | Instant | undefined;
  /** 1 to 1,000. Default 10. */
  count?: number | undefined;
}

/**
 * The schedules of a namespace. Every request is checked here before it is sent: `invalid` names the fields.
 * `unavailable`: no orchestrator answers.
 */
export class Schedules {
  readonly #api: ApiCaller;

  constructor(api: ApiCaller) {
    this.#api = api;
  }

  /** Makes the schedule, or replaces the one with this id. Slots that were decided before stay as they are. */
  put(id: string, schedule: ScheduleInput, options: PutOptions = {}): Promise<ScheduleView> {
    const { ifRevision } = options;
    return this.#call("schedule.put", { id, schedule, ...(ifRevision !== undefined && { ifRevision }) });
  }

  /** Throws `not_found` when there is none. */
  get(id: string): Promise<ScheduleView> {
    return this.#call("schedule.get", { id });
  }

  /** Every schedule, by id, page after page. */
  async *list(options: { pageSize?: number } = {}): AsyncGenerator<ScheduleView, void, undefined> {
    let after: string | null = null;
    do {
      const page: ApiResponse<"schedule.list"> = await this.#call("schedule.list", {
        ...(after !== null && { after }),
        ...(options.pageSize !== undefined && { limit: options.pageSize }),
      });
      yield* page.schedules;
      after = page.next;
    } while (after !== null);
  }

  async delete(id: string): Promise<void> {
    await this.#call("schedule.delete", { id });
  }

  /** Slots that fall due while it is paused are not fired, and not made up for. */
  pause(id: string, note?: string): Promise<ScheduleView> {
    return this.#call("schedule.pause", { id, ...(note !== undefined && { note }) });
  }

  resume(id: string): Promise<ScheduleView> {
    return this.#call("schedule.resume", { id });
  }

  /** Runs it once, now, beside its fire times. */
  trigger(id: string): Promise<Enqueued> {
    return this.#call("schedule.trigger", { id });
  }

  /** The next fire times of a stored schedule, or of one that is not stored. */
  async preview(
    of: { id: string } | { schedule: ScheduleInput },
    options: PreviewOptions = {},
  ): Promise<Date[]> {
    const { from, count } = options;
    const { fireTimes } = await this.#call("schedule.preview", {
      ...of,
      ...(from !== undefined && { from: isoOf(from) }),
      ...(count !== undefined && { count }),
    });
    return fireTimes.map((time) => new Date(time));
  }

  /** Sends the request as it was given: what the schema makes of it is for the other side to make again. */
  async #call<E extends Endpoint>(endpoint: E, request: ApiRequest<E>): Promise<ApiResponse<E>> {
    parseWith(endpoints[endpoint].request, request, endpoint);
    const response = await this.#api.call(endpoint, request);
    const schema: z.ZodType = endpoints[endpoint].response;
    return parseWith(schema, response, `answer of ${endpoint}`) as ApiResponse<E>;
  }
}

function isoOf(from: Date | Instant): string {
  const date = new Date(from);
  if (Number.isNaN(date.getTime())) throw invalid("from", `expected a date, got ${String(from)}`);
  return date.toISOString();
}
