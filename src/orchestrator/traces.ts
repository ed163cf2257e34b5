/**
 * What tells that a run was fired when the server has forgotten its message id: our own memory of an answer, a slot
 * record, or an event of the run. A run of which none tells is fired again, under the same run id: possible only when
 * the server lost its memory before the answer to the publish reached us, and a worker that writes no events had done
 * the job by then.
 */
import type { Firing } from "../core/lease.js";
import type { RunLog } from "../core/ports.js";
import { runIdOf } from "../protocol/names.js";
import type { InWork } from "./slot-records.js";

/** `told`: a slot record has it already. */
export type Trace = { seq: number | null; told: boolean };

export class Traces {
  readonly #runs: RunLog;
  readonly #shard: number;
  readonly #inWork: InWork;
  readonly #told = new Set<string>();
  #from: number;

  /** @param from a sequence of RUNS that is older than all that is looked for */
  constructor(runs: RunLog, shard: number, from: number, inWork: InWork) {
    this.#runs = runs;
    this.#shard = shard;
    this.#inWork = inWork;
    this.#from = from;
  }

  /**
   * Reads what is new. Only what was stored before is sure to be found.
   *
   * @param renew called between records: a run that waits for hours has hours of them to read
   */
  async refresh(renew: () => Promise<void>): Promise<void> {
    const { fired, last } = await this.#runs.slotsAfter(this.#shard, this.#from, renew);
    for (const { scheduleId, slot } of fired) this.#told.add(runIdOf(scheduleId, slot));
    this.#from = last;
  }

  async of({ scheduleId, slot }: Firing): Promise<Trace | null> {
    const runId = runIdOf(scheduleId, slot);
    if (this.#told.has(runId)) return { seq: null, told: true };
    const seq = this.#inWork.get(runId);
    if (seq !== undefined) return { seq, told: false };
    return (await this.#runs.hasAny(runId)) ? { seq: null, told: false } : null;
  }
}
