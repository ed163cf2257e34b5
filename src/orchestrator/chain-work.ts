/**
 * What there is to do about one record of a chain or a group.
 *
 * Each step is kept before the next begins, and each may be done again: a decision is written by compare-and-swap, what
 * follows has a run id that follows from the run before it, and before it is queued it is looked for. Whoever goes on
 * after a crash finds the decision, and the trace of what was queued.
 */
import {
  type Decision,
  decisionOf,
  type Followed,
  followerId,
  followerOf,
  type Group,
  groupRunId,
  hasSucceeded,
  isDue,
  isEarlier,
  noted,
} from "../core/chain.js";
import type { ChainStore, StoredChain } from "../core/chain-store.js";
import { PunctualError } from "../core/errors.js";
import { shardOf } from "../core/hash.js";
import type { Clock } from "../core/ports.js";
import { foldRun } from "../core/run.js";
import { headers as h } from "../protocol/headers.js";
import { limits } from "../protocol/limits.js";
import type { Names } from "../protocol/names.js";
import type { Logger } from "../runtime/log.js";
import { AbandonedChains, type AbandonedPorts } from "./abandoned-chains.js";
import { Departures } from "./departures.js";
import { FollowerQueue, type FollowerQueuePorts } from "./follower-queue.js";
import type { RunIndex } from "./run-index.js";
import type { SightingPorts } from "./run-sightings.js";

export interface ChainWorkPorts extends FollowerQueuePorts, SightingPorts, AbandonedPorts {
  chains: ChainStore;
  index: Pick<RunIndex, "brief" | "get">;
  names: Names;
  shards: number;
  clock: Clock;
  log: Logger;
}

/**
 * What a look at a record came to. `none`: there is no record. `untold`: nothing is known of its run. `open`: its run is
 * not known to be over. `gone`: nor is it where it was, and nothing tells more.
 */
export type Looked = "none" | "untold" | "open" | "gone" | "done";

interface Kept<T> {
  record: T;
  revision: number;
}

const TRIES = 20;

export class ChainWork {
  readonly #ports: ChainWorkPorts;
  readonly #queue: FollowerQueue;
  readonly #departures: Departures;
  readonly #abandoned: AbandonedChains;

  constructor(ports: ChainWorkPorts) {
    this.#ports = ports;
    this.#queue = new FollowerQueue(ports);
    this.#departures = new Departures(ports);
    this.#abandoned = new AbandonedChains(ports);
  }

  /**
   * Does what can be done about it now.
   *
   * @param isDeep whether to search for the run, where it is not in the news
   * @param isOurs whether it is still for us; others would do the same
   */
  async run(key: string, isDeep: boolean, isOurs: () => boolean): Promise<Looked> {
    const stored = await this.#ports.chains.get(key);
    if (stored === null) return "none";
    if (!isOurs()) return "open";
    const { record, revision } = stored;
    if (record.kind === "run") return this.#onRun(key, { record, revision }, stored, { isDeep, isOurs });
    return this.#onGroup(key, { ...stored, record }, isOurs);
  }

  /** Removes a record of whose run nothing is told, for longer than RUNS remembers, if its job is nowhere. */
  async discard(key: string, isOurs: () => boolean): Promise<boolean> {
    const { chains, log } = this.#ports;
    const stored = await chains.get(key);
    if (stored?.record.kind !== "run" || stored.record.decided !== null) return false;
    const { runId, queue } = stored.record;
    if (!(await this.#abandoned.has(stored.record)) || !isOurs()) return false;
    if ((await chains.erase(key, stored.revision)).kind !== "stored") return false;
    log.warn({ runId, queue }, "the job upon which something was to follow never came: nothing follows");
    return true;
  }

  /** There is no such record any more. */
  forget(key: string): void {
    this.#departures.forget(key);
  }

  async #onRun(
    key: string,
    { record, revision }: Kept<Followed>,
    stored: StoredChain,
    { isDeep, isOurs }: { isDeep: boolean; isOurs: () => boolean },
  ): Promise<Looked> {
    const kept =
      record.decided === null ? await this.#decide(key, record, stored, isDeep) : { record, revision };
    if (typeof kept === "string") return kept;
    const { decided } = kept.record;
    if (decided === null || !isOurs()) return "open";
    const json = followerOf(record, decided);
    if (json !== null) {
      const runId = followerId(record.runId);
      const headers = { [h.parent]: record.runId };
      const { life, at } = decided;
      const since = record.decided === null ? null : stored.storedAt;
      if (!(await this.#queue.put({ json, runId, headers, life, from: at, since }))) return "open";
    }
    // Whoever looks after it now goes on from here, as long as the record is there.
    if (!isOurs()) return "open";
    if (record.group !== null) await this.#noteMember(record.group, decided);
    await this.#ports.chains.erase(key, kept.revision);
    return "done";
  }

  /** The record with the decision; or none can be made now. */
  async #decide(
    key: string,
    record: Followed,
    stored: StoredChain,
    isDeep: boolean,
  ): Promise<Kept<Followed> | Looked> {
    const { index, chains } = this.#ports;
    const { runId } = record;
    const facts = await (isDeep ? index.get(runId) : index.brief(runId));
    const run = facts === null ? null : foldRun(runId, facts);
    if (run === null || isEarlier(run, stored)) return "untold";
    const departure = isDeep ? await this.#departures.of(key, run) : null;
    if (departure?.isCertain === false) return "gone";
    const decided = decisionOf(departure === null ? run : { ...run, state: "unknown" }, stored);
    if (decided === null) return "open";
    const now = { ...record, decided };
    const outcome = await chains.write(key, now, stored.revision);
    return outcome.kind === "stored" ? { record: now, revision: outcome.revision } : "open";
  }

  async #noteMember({ id, index }: { id: string; index: number }, decided: Decision): Promise<void> {
    const { chains, names, shards } = this.#ports;
    const key = names.groupKey(shardOf(id, shards), id);
    for (let tries = 0; tries < TRIES; tries++) {
      const stored = await chains.get(key);
      if (stored?.record.kind !== "group") return;
      const now = noted(stored.record, index, !hasSucceeded(decided));
      if (now === stored.record) return;
      if ((await chains.write(key, now, stored.revision)).kind === "stored") return;
    }
    throw new PunctualError("conflict", `group ${id} is being written by others`);
  }

  async #onGroup(
    key: string,
    stored: StoredChain & { record: Group },
    isOurs: () => boolean,
  ): Promise<Looked> {
    const { chains, clock } = this.#ports;
    const { record, revision, storedAt } = stored;
    const { id, completedAt, failed, onDone: json } = record;
    if (completedAt !== null && completedAt + limits.groupTtlMs <= clock.now())
      await chains.erase(key, revision);
    if (!isDue(record)) return "open";
    const headers = { [h.group]: id, [h.groupFailed]: String(failed.count) };
    const runId = groupRunId(id);
    const job = { json, runId, headers, life: revision, from: storedAt, since: storedAt };
    if (!(await this.#queue.put(job))) return "open";
    if (isOurs()) await chains.write(key, { ...record, completedAt: clock.now() }, revision);
    return "done";
  }
}
