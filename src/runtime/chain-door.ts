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

export class ChainDoor {
  readonly #chains: ChainStore;

  constructor(chains: ChainStore) {
    this.#chains = chains;
  }

  /**
   * Null: a run with this id is under way, upon which something else follows; or the member of its group is over. A job
   * that was not let in and has its record already is a repeat: it was let in before, and may be under way.
   *
   * @throws invalid: there is no such group, it has no such member, or another run is that; timeout
   */
  async through<T extends { accepted: boolean }>(
    following: Following,
    letIn: () => Promise<T>,
  ): Promise<(T & { isRepeat?: boolean }) | null> {
    if (await this.#isOver(following)) return null;
    const written = await this.#write(following);
    if (written === "other") return null;
    const takeBack = async () => {
      if (written.isOurs) await this.#chains.erase(following.key, written.revision);
    };
    try {
      const outcome = await letIn();
      if (outcome.accepted) return outcome;
      await takeBack();
      return { ...outcome, isRepeat: !written.isOurs };
    } catch (error) {
      if (!(error instanceof PunctualError && error.code === "timeout")) await takeBack();
      throw error;
    }
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

  async #write({ key, record }: Following): Promise<{ isOurs: boolean; revision: number } | "other"> {
    let outcome: CasOutcome | undefined;
    for (let tries = 0; tries < TRIES; tries++) {
      outcome = await this.#chains.write(key, record, 0);
      if (outcome.kind === "stored") return { isOurs: true, revision: outcome.revision };
      const existing = await this.#chains.get(key);
      if (existing === null) continue;
      // After an unanswered write it may be ours; then it stays, should the job not be let in.
      if (asksTheSame(existing.record, record)) return { isOurs: false, revision: existing.revision };
      if (record.group === null || existing.record.kind !== "run") return "other";
      const { id, index } = record.group;
      throw invalid("group", `member ${index} of group ${id} is run ${existing.record.runId}`);
    }
    const cause = outcome?.kind === "unknown" ? outcome.error : undefined;
    throw new PunctualError("timeout", `what follows upon ${record.runId} could not be stored`, { cause });
  }
}
