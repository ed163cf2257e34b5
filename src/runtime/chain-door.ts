/**
 * Lets in jobs upon which something follows: the record of what follows is written first, so that no run can be over
 * that nobody knows of. A job that was not let in takes its record back; where that is not known, the record stays, and
 * the same job can be asked for again.
 */
import { asksTheSame, type Following } from "../core/chain.js";
import type { ChainStore } from "../core/chain-store.js";
import { invalid, PunctualError } from "../core/errors.js";
import type { CasOutcome } from "../core/ports.js";

const TRIES = 5;
const RETRY = /:retry-(in)?\d+$/;

/** `isRepeat`: it is under way, and nothing may be told of it; not given: nobody has looked. */
export interface Refused {
  accepted: false;
  isRepeat?: boolean;
}

/** `isOurs`: there was none before. `isDecided`: the run of the record that is there is over. */
type Written = { kind: "kept"; isOurs: boolean; revision: number } | { kind: "refused"; isDecided: boolean };

export class ChainDoor {
  readonly #chains: ChainStore;

  constructor(chains: ChainStore) {
    this.#chains = chains;
  }

  /**
   * Not let in are a run with the id of one that is under way, a repeat, and the member of a group whose member is over.
   *
   * @throws invalid: there is no such group, it has no such member, or another run is that; timeout
   */
  async through<T extends { accepted: boolean; isRepeat?: boolean }>(
    following: Following,
    letIn: () => Promise<T>,
  ): Promise<T | Refused> {
    if (await this.#isOver(following)) return { accepted: false, isRepeat: false };
    const written = await this.#write(following);
    if (written.kind === "refused") return { accepted: false, isRepeat: !written.isDecided };
    const takeBack = async () => {
      if (written.isOurs) await this.#chains.erase(following.key, written.revision);
    };
    try {
      const outcome = await letIn();
      if (outcome.accepted) return outcome;
      await takeBack();
      return written.isOurs ? outcome : { ...outcome, isRepeat: true };
    } catch (error) {
      if (!(error instanceof PunctualError && error.code === "timeout")) await takeBack();
      throw error;
    }
  }

  /** Whether there is such a record, and its run is not known to be over. */
  async isOpen(key: string): Promise<boolean> {
    const record = (await this.#chains.get(key))?.record;
    return record?.kind === "run" && record.decided === null;
  }

  async #isOver({ groupKey, record: { group, runId } }: Following): Promise<boolean> {
    if (groupKey === null || group === null) return false;
    const record = (await this.#chains.get(groupKey))?.record;
    // A dead letter may outlive the group.
    if (record === undefined && RETRY.test(runId)) return false;
    if (record?.kind !== "group") throw invalid("group", `there is no group ${group.id}; make it first`);
    if (group.index >= record.members)
      throw invalid(
        "group",
        `expected an index from 0 to ${record.members - 1} of group ${group.id}, got ${group.index}`,
      );
    // A dead letter may be tried again, for the group too.
    return record.done.has(group.index) && !RETRY.test(runId);
  }

  async #write({ key, record }: Following): Promise<Written> {
    let outcome: CasOutcome | undefined;
    for (let tries = 0; tries < TRIES; tries++) {
      outcome = await this.#chains.write(key, record, 0);
      if (outcome.kind === "stored") return { kind: "kept", isOurs: true, revision: outcome.revision };
      const existing = await this.#chains.get(key);
      if (existing === null) continue;
      // What follows upon the life before is about to be queued, and its record goes then: it cannot be ours too.
      if (existing.record.kind === "run" && existing.record.decided !== null)
        return { kind: "refused", isDecided: true };
      // After an unanswered write it may be ours; then it stays, should the job not be let in.
      if (asksTheSame(existing.record, record))
        return { kind: "kept", isOurs: false, revision: existing.revision };
      if (record.group === null || existing.record.kind !== "run")
        return { kind: "refused", isDecided: false };
      const { id, index } = record.group;
      throw invalid("group", `member ${index} of group ${id} is run ${existing.record.runId}`);
    }
    const cause = outcome?.kind === "unknown" ? outcome.error : undefined;
    throw new PunctualError("timeout", `what follows upon ${record.runId} could not be stored`, { cause });
  }
}
