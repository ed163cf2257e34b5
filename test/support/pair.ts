/** Two orchestrators and a worker's view of one shard: what a policy keeps when the holder dies in the middle. */
import { expect } from "vitest";
import type { LeaseRecord } from "../../src/core/lease.js";
import type { OrchestratorOptions } from "../../src/orchestrator/options.js";
import type { EmbeddedServer } from "../../src/runtime/embedded/server.js";
import { openOn, until } from "./scene.js";
import { startSession } from "./sessions.js";
import { Stage } from "./stage.js";

type Started = Awaited<ReturnType<typeof startSession>>;

export class Pair {
  readonly stage: Stage;
  readonly #opened: Awaited<ReturnType<typeof openOn>>;
  #alive: Started[];

  private constructor(stage: Stage, opened: Awaited<ReturnType<typeof openOn>>, alive: Started[]) {
    this.stage = stage;
    this.#opened = opened;
    this.#alive = alive;
  }

  /** No lease runs out by itself in time: the shard changes hands because its holder's connection is gone. */
  static async open(server: EmbeddedServer, more: OrchestratorOptions = {}): Promise<Pair> {
    const stage = await Stage.open(server, { shards: 1 });
    const open = () => openOn(server, stage.names.namespace, 1);
    const options = { leaseDuration: "9s", probe: 50, ...more };
    const alive = [
      await startSession({ open }, "one", options),
      await startSession({ open }, "two", options),
    ];
    await until(() => expect(alive.filter(({ session }) => session.held.length === 1)).toHaveLength(1));
    return new Pair(stage, await open(), alive);
  }

  get ports() {
    return this.#opened.ports;
  }

  get schedules() {
    return this.stage.client.schedules;
  }

  async record(): Promise<LeaseRecord> {
    const lease = await this.ports.leases.read(0);
    if (lease === null) throw new Error("there is no record yet");
    return lease.value;
  }

  /** Resolves with the record when it is so. */
  recordWhere(isSo: (record: LeaseRecord) => boolean): Promise<LeaseRecord> {
    return until(async () => {
      const record = await this.record();
      expect(record).toSatisfy(isSo);
      return record;
    });
  }

  /** The holder's connection ends as in a crash; resolves when the other holds the shard. */
  async crashHolder(): Promise<void> {
    const dying = this.#alive.find(({ session }) => session.held.length === 1) as Started;
    this.#alive = this.#alive.filter((other) => other !== dying);
    await dying.connection.close();
    await until(() => expect(this.#alive.map(({ session }) => session.held)).toEqual([[0]]));
  }

  /** The slots for which RUNS has an event of a type, in order, with the reason. */
  async told(type: string): Promise<{ runId: string; reason: unknown }[]> {
    const events = (await this.stage.events()).filter((event) => event.type === type);
    return events.map(({ runId, data }) => ({ runId, reason: data.reason }));
  }
}
