/**
 * The events of one run, asked for type by type.
 *
 * With a wildcard it would be one question, but nats-server 2.9 goes through the subjects of all runs for it, and takes
 * nothing meanwhile: 150 to 400 ms with a million events in RUNS, where a type takes 0.3 ms. Where to find the last one of
 * a subject it knows. The first one it looks for block by block, which takes seconds when it has not done so for a while;
 * so it is asked for that only where there is one.
 */
import type { JetStreamManager, StoredMsg } from "@nats-io/jetstream";
import { type RunEventType, runEventTypes, terminalEvents } from "../protocol/events.js";
import type { Names } from "../protocol/names.js";

const ENDS: readonly RunEventType[] = terminalEvents;
const BEFORE_THE_END = runEventTypes.filter((type) => !ENDS.includes(type));

export class RunEvents {
  readonly #jsm: JetStreamManager;
  readonly #names: Names;

  constructor(jsm: JetStreamManager, names: Names) {
    this.#jsm = jsm;
    this.#names = names;
  }

  /** The newest, of all or of some types; null: there is none. From the leader. */
  async last(runId: string, types: readonly string[] = runEventTypes): Promise<StoredMsg | null> {
    const found = await Promise.all(types.map((type) => this.lastOf(runId, type)));
    return found.reduce((a, b) => ((b?.seq ?? 0) > (a?.seq ?? 0) ? b : a), null);
  }

  /** The newest of a type; null: there is none. From the leader. */
  lastOf(runId: string, type: string): Promise<StoredMsg | null> {
    const query = { last_by_subj: this.#names.runEvent(runId, type) };
    return this.#jsm.streams.getMessage(this.#names.runs, query);
  }

  /** In their order, from one sequence of RUNS to another, both included. Default: all. From the leader. */
  async all(runId: string, from = 1, to = Number.POSITIVE_INFINITY): Promise<StoredMsg[]> {
    const found = await Promise.all(runEventTypes.map((type) => this.#allOf(runId, type, from, to)));
    return found.flat().sort((a, b) => a.seq - b.seq);
  }

  /** Whether there is one before a sequence of RUNS, other than an end: a run whose id is used again has several. */
  async isAnyBefore(runId: string, seq: number): Promise<boolean> {
    const found = await Promise.all(
      BEFORE_THE_END.map(async (type) => {
        const last = await this.lastOf(runId, type);
        if (last === null || last.seq < seq) return last !== null;
        return ((await this.#nextOf(runId, type, 1))?.seq ?? seq) < seq;
      }),
    );
    return found.includes(true);
  }

  async #allOf(runId: string, type: RunEventType, from: number, to: number): Promise<StoredMsg[]> {
    const last = await this.lastOf(runId, type);
    const found: StoredMsg[] = [];
    for (let seq = from; last !== null && seq <= Math.min(to, last.seq); ) {
      const message = seq === last.seq ? last : await this.#nextOf(runId, type, seq);
      if (message === null || message.seq > to) break;
      found.push(message);
      seq = message.seq + 1;
    }
    return found;
  }

  #nextOf(runId: string, type: RunEventType, seq: number): Promise<StoredMsg | null> {
    const query = { seq, next_by_subj: this.#names.runEvent(runId, type) };
    return this.#jsm.streams.getMessage(this.#names.runs, query);
  }
}
