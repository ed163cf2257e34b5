import type { ApiCaller } from "../core/ports.js";
import type { Follower } from "../protocol/chain-input.js";
import type { EnqueueRequest } from "../protocol/enqueue-input.js";
import type { GroupView } from "../protocol/group-api.js";
import type { EnqueueOutcome } from "./outcome.js";
import { ask } from "./requests.js";

export interface GroupRequest {
  /** Own id: with it, a group that was begun before a crash can be asked for again. Default: a new one. */
  id?: string | undefined;
  /** Its members, at most 10,000. */
  jobs: readonly EnqueueRequest[];
  /** Queued when the run of every member is over, however it ended. */
  onDone: Follower;
}

type EnqueueMany = (requests: Iterable<EnqueueRequest>) => AsyncIterable<EnqueueOutcome>;

/** Groups of jobs, and the job that follows when all of them are over. `unavailable`: no orchestrator answers. */
export class Groups {
  readonly #api: ApiCaller;
  readonly #enqueueMany: EnqueueMany;
  readonly #newId: () => string;

  constructor(api: ApiCaller, enqueueMany: EnqueueMany, newId: () => string) {
    this.#api = api;
    this.#enqueueMany = enqueueMany;
    this.#newId = newId;
  }

  /**
   * Makes a group and enqueues its members, whose run ids are `<group>:<index>` unless they have ids of their own; answers
   * with what became of each. Under an id of your own it may be asked for again: what is there is not made twice.
   *
   * Throws `invalid`; `conflict` when there is another group with this id.
   */
  async run({
    id = this.#newId(),
    jobs,
    onDone,
  }: GroupRequest): Promise<{ id: string; outcomes: EnqueueOutcome[] }> {
    await this.create({ id, members: jobs.length, onDone });
    const members = jobs.map((job, index) => ({ jobId: `${id}:${index}`, ...job, group: `${id}/${index}` }));
    const outcomes: EnqueueOutcome[] = [];
    for await (const outcome of this.#enqueueMany(members)) outcomes.push(outcome);
    return { id, outcomes };
  }

  /** Makes a group whose members others enqueue, each with its `group`: `<id>/<index>`. */
  create(request: { id?: string | undefined; members: number; onDone: Follower }): Promise<GroupView> {
    return ask(this.#api, "group.create", request);
  }

  /** A group is kept for a week after it is done. Throws `not_found`. */
  get(id: string): Promise<GroupView> {
    return ask(this.#api, "group.get", { id });
  }
}
