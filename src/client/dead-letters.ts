import type { ApiCaller, Clock } from "../core/ports.js";
import type { Instant } from "../core/schedule.js";
import type { ApiRequest, ApiResponse } from "../protocol/api.js";
import type { LetterRow, LetterView } from "../protocol/dead-api.js";
import { ask, given, isoOf } from "./requests.js";

/** Which letters are meant: everything that is given must be so. */
export interface LetterFilter {
  queue?: string | undefined;
  /** Id of the schedule whose job it was. */
  schedule?: string | undefined;
  /** Id of the run that died. */
  run?: string | undefined;
  /** A part of the reason; upper and lower case are the same. */
  reason?: string | undefined;
  /** A part of the error of the last attempt; upper and lower case are the same. */
  error?: string | undefined;
  /** Died then or later. */
  since?: Date | Instant | undefined;
  /** Died before. */
  until?: Date | Instant | undefined;
}

/** By what is given, or all of them. */
export type LetterChoice = LetterFilter | "all";

export interface RetryOptions {
  /** `10/s`, `30/m`, `5/h`. Default `100/s`. */
  rate?: string | undefined;
  /** Called after each page with what became of it. */
  onPage?: ((page: RetryPage) => void) | undefined;
}

export type RetryPage = Pick<ApiResponse<"dead.retryMany">, "retried" | "kept">;

export interface RetryResult {
  retried: number;
  /** Those that stay, and why. */
  kept: { id: number; message: string }[];
}

/** Letters of one request. */
const PAGE = 500;

/**
 * Jobs that failed for good, or could not be read: each with its payload, its headers and its last error. Errors as with
 * schedules; `not_found` also when somebody else has retried or discarded the letter.
 */
export class DeadLetters {
  readonly #api: ApiCaller;
  readonly #clock: Pick<Clock, "after">;
  readonly #author: { author?: string };

  /** @param author told with every retry */
  constructor(api: ApiCaller, clock: Pick<Clock, "after">, author?: string) {
    this.#api = api;
    this.#clock = clock;
    this.#author = author === undefined ? {} : { author };
  }

  /** The newest first, page after page. */
  async *list(filter: LetterFilter = {}): AsyncGenerator<LetterRow, void, undefined> {
    let before: number | null = null;
    do {
      const page: ApiResponse<"dead.list"> = await ask(this.#api, "dead.list", {
        filter: requestOf(filter),
        limit: PAGE,
        ...(before !== null && { before }),
      });
      yield* page.letters;
      before = page.next;
    } while (before !== null);
  }

  /** One letter with its payload and the error of every attempt. */
  get(id: number): Promise<LetterView> {
    return ask(this.#api, "dead.get", { id });
  }

  /**
   * Queues the job again, with all attempts, under a run id of its own, and removes the letter. Repeating it after an
   * error is safe: the job is queued once.
   *
   * Throws `conflict` when the letter stays, as another job with its id or key is queued or running.
   */
  async retry(id: number): Promise<Omit<ApiResponse<"dead.retry">, "id">> {
    const { runId, to } = await ask(this.#api, "dead.retry", { id, ...this.#author });
    return { runId, to };
  }

  /** Retries the letters that there are now, the oldest first, at a rate. */
  async retryMany(choice: LetterChoice, options: RetryOptions = {}): Promise<RetryResult> {
    const result: RetryResult = { retried: 0, kept: [] };
    let cursor: string | null = null;
    do {
      const page: ApiResponse<"dead.retryMany"> = await ask(this.#api, "dead.retryMany", {
        ...this.#page(choice, cursor),
        ...given({ rate: options.rate }),
      });
      result.retried += page.retried.length;
      result.kept.push(...page.kept);
      options.onPage?.(page);
      if (page.next !== null && page.waitMs > 0) await this.#pause(page.waitMs);
      cursor = page.next;
    } while (cursor !== null);
    return result;
  }

  /** Removes a letter for ever. */
  async discard(id: number): Promise<void> {
    await ask(this.#api, "dead.discard", { id, ...this.#author });
  }

  /** Removes the letters that there are now, for ever; resolves with their number. */
  async discardMany(choice: LetterChoice): Promise<number> {
    let [discarded, cursor]: [number, string | null] = [0, null];
    do {
      const page: ApiResponse<"dead.discardMany"> = await ask(
        this.#api,
        "dead.discardMany",
        this.#page(choice, cursor),
      );
      discarded += page.discarded;
      cursor = page.next;
    } while (cursor !== null);
    return discarded;
  }

  #page(choice: LetterChoice, cursor: string | null): ApiRequest<"dead.discardMany"> {
    const chosen = choice === "all" ? { all: true } : { filter: requestOf(choice) };
    return { ...chosen, limit: PAGE, ...(cursor !== null && { cursor }), ...this.#author };
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.after(ms, resolve);
    });
  }
}

function requestOf({ since, until, ...rest }: LetterFilter): ApiRequest<"dead.list">["filter"] {
  return {
    ...given(rest),
    ...(since !== undefined && { since: isoOf(since, "since") }),
    ...(until !== undefined && { until: isoOf(until, "until") }),
  };
}
