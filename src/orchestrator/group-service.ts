/** What people do with groups of jobs. */
import { asksTheSame, type Group, newGroup } from "../core/chain.js";
import type { ChainStore } from "../core/chain-store.js";
import { PunctualError } from "../core/errors.js";
import { shardOf } from "../core/hash.js";
import type { Clock } from "../core/ports.js";
import type { ApiParsed } from "../protocol/api.js";
import type { GroupView } from "../protocol/group-api.js";
import type { Names } from "../protocol/names.js";

export interface GroupServicePorts {
  chains: ChainStore;
  names: Names;
  shards: number;
  clock: Clock;
  newNonce(): string;
}

const TRIES = 5;

export class GroupService {
  readonly #ports: GroupServicePorts;

  constructor(ports: GroupServicePorts) {
    this.#ports = ports;
  }

  /** Asked for again, it is the same group. */
  async create(request: ApiParsed<"group.create">): Promise<GroupView> {
    const { chains, clock, newNonce } = this.#ports;
    const { id = newNonce(), members, onDone } = request;
    const group = newGroup(id, members, onDone, clock.now());
    let cause: Error | undefined;
    for (let tries = 0; tries < TRIES; tries++) {
      const outcome = await chains.write(this.#keyOf(id), group, 0);
      if (outcome.kind === "stored") return viewOf(group);
      const existing = (await chains.get(this.#keyOf(id)))?.record;
      if (existing !== undefined) {
        if (existing.kind === "group" && asksTheSame(existing, group)) return viewOf(existing);
        throw new PunctualError("conflict", `there is another group ${id}`);
      }
      if (outcome.kind === "unknown") cause = outcome.error;
    }
    throw new PunctualError("timeout", `group ${id}: no answer from the server; try again`, { cause });
  }

  async get({ id }: ApiParsed<"group.get">): Promise<GroupView> {
    const record = (await this.#ports.chains.get(this.#keyOf(id)))?.record;
    if (record?.kind !== "group") throw new PunctualError("not_found", `there is no group ${id}`);
    return viewOf(record);
  }

  #keyOf(id: string): string {
    const { names, shards } = this.#ports;
    return names.groupKey(shardOf(id, shards), id);
  }
}

function viewOf({ id, members, done, failed, createdAt, completedAt }: Group): GroupView {
  return {
    ...{ id, members, done: done.count, failed: failed.count },
    state: completedAt === null ? "open" : "done",
    createdAt: iso(createdAt),
    completedAt: completedAt === null ? null : iso(completedAt),
  };
}

const iso = (at: number): string => new Date(at).toISOString();
