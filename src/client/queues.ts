import type { ApiCaller } from "../core/ports.js";
import type { ApiRequest, ApiResponse } from "../protocol/api.js";
import type { QueueView } from "../protocol/queue-api.js";
import type { QueueInput } from "../protocol/queue-input.js";
import { ask, given, isoOf } from "./requests.js";
import type { PauseOptions, PutOptions } from "./schedules.js";

/** Fields to change; null makes one as by default again. */
export type QueuePatch = { [Field in keyof QueueInput]?: QueueInput[Field] | null };

/**
 * The queues of a namespace: their settings and what is in them now. Settings can be changed while workers run. Every
 * request is checked here before it is sent: `invalid` names the fields. `unavailable`: no orchestrator answers.
 */
export class Queues {
  readonly #api: ApiCaller;

  constructor(api: ApiCaller) {
    this.#api = api;
  }

  /** Makes the queue, or replaces its settings as a whole: what is not said is as by default. */
  put(queue: string, settings: QueueInput, options: PutOptions = {}): Promise<QueueView> {
    return ask(this.#api, "queue.put", { queue, settings, ...given(options) });
  }

  /** Changes what is given and leaves the rest as it is. Makes the queue if there is none. */
  patch(queue: string, patch: QueuePatch, options: PutOptions = {}): Promise<QueueView> {
    const fields = patch as ApiRequest<"queue.patch">["patch"];
    return ask(this.#api, "queue.patch", { queue, patch: fields, ...given(options) });
  }

  /** Throws `not_found` when there is none. */
  get(queue: string): Promise<QueueView> {
    return ask(this.#api, "queue.get", { queue });
  }

  /** Every queue, by name, page after page. */
  async *list(): AsyncGenerator<QueueView, void, undefined> {
    let after: string | null = null;
    do {
      const request = after === null ? {} : { after };
      const page: ApiResponse<"queue.list"> = await ask(this.#api, "queue.list", request);
      yield* page.queues;
      after = page.next;
    } while (after !== null);
  }

  /**
   * Workers take no more jobs until it is resumed; jobs that run go on. Workers without the SDK are held back by
   * servers from 2.11 on only: `bareWorkersPaused` says so.
   */
  pause(queue: string, note?: string, options: PauseOptions = {}): Promise<QueueView> {
    const until = options.until === undefined ? undefined : isoOf(options.until, "until");
    return ask(this.#api, "queue.pause", { queue, ...given({ note, until }) });
  }

  resume(queue: string): Promise<QueueView> {
    return ask(this.#api, "queue.resume", { queue });
  }

  /** Throws `conflict` while there are jobs in it. */
  async delete(queue: string, options: PutOptions = {}): Promise<void> {
    await ask(this.#api, "queue.delete", { queue, ...given(options) });
  }
}
