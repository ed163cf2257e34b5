/** One shard of one orchestrator over a real connection, with ports that can be made to fail. */
import type { NatsConnection } from "@nats-io/transport-node";
import { onTestFinished } from "vitest";
import type { Clock } from "../../src/core/ports.js";
import { ApiService } from "../../src/orchestrator/api-service.js";
import { Definitions } from "../../src/orchestrator/definitions.js";
import { Dispatcher } from "../../src/orchestrator/dispatcher.js";
import { FiredTimers } from "../../src/orchestrator/fired-timers.js";
import { Peers } from "../../src/orchestrator/members.js";
import { Memory } from "../../src/orchestrator/memory.js";
import { type OrchestratorSettings, orchestratorOptions } from "../../src/orchestrator/options.js";
import { Shard } from "../../src/orchestrator/shard.js";
import type { ScheduleInput } from "../../src/protocol/schedule-input.js";
import { Admission } from "../../src/runtime/admission.js";
import { systemClock } from "../../src/runtime/clock.js";
import { silentLogger } from "../../src/runtime/log.js";
import { FaultyLeases, FaultyRuns, FaultyWork, LaggingSchedules } from "./faults.js";
import { type Scene, until } from "./scene.js";

/** Peers that a test appoints: nobody is alive but ourselves, and only those are gone who are said to be. */
class AppointedPeers extends Peers {
  readonly #self: string;
  readonly gone = new Set<string>();

  constructor(self: string, ports: ConstructorParameters<typeof Peers>[0]) {
    super(ports, { role: "orchestrator", id: self, host: "", pid: 0, startedAt: 0 }, () => {});
    this.#self = self;
  }

  override live(): string[] {
    return [this.#self];
  }

  override isGone(id: string): boolean {
    return this.gone.has(id);
  }
}

export interface HolderOptions {
  clock?: Clock;
  settings?: Partial<OrchestratorSettings>;
  /** Of the same orchestrator on an earlier connection. */
  memory?: Memory;
  /** Begin with a watch that delivers only what is stored now. */
  lagging?: boolean;
}

/** A clock that is wrong by so much. */
export const clockOff = (ms: number): Clock => ({
  now: () => systemClock.now() + ms,
  monotonic: () => systemClock.monotonic(),
  after: (delayMs, callback) => systemClock.after(delayMs, callback),
});

let nonces = 0;

export class Holder {
  readonly id: string;
  readonly connection: NatsConnection;
  readonly memory: Memory;
  readonly work: FaultyWork;
  readonly runs: FaultyRuns;
  readonly leases: FaultyLeases;
  readonly schedules: LaggingSchedules;
  readonly definitions: Definitions;
  readonly shard: Shard;
  readonly #peers: AppointedPeers;

  private constructor(id: string, opened: Awaited<ReturnType<Scene["open"]>>, options: HolderOptions) {
    const { connection, ports } = opened;
    const clock = options.clock ?? systemClock;
    const log = silentLogger;
    this.id = id;
    this.connection = connection;
    this.memory = options.memory ?? new Memory();
    this.work = new FaultyWork(ports.work);
    this.runs = new FaultyRuns(ports.runs);
    this.leases = new FaultyLeases(ports.leases);
    this.schedules = new LaggingSchedules(ports.schedules);
    this.definitions = new Definitions(ports.shards, ports.names, log);
    this.#peers = new AppointedPeers(id, {
      membership: ports.membership,
      clock,
      log,
      probeMs: 1_000,
      formerIds: new Set<string>(),
    });
    const shardPorts = {
      ...ports,
      clock,
      log,
      self: id,
      settings: orchestratorOptions.parse({ leaseDuration: 1_500, leaseMargin: 300, ...options.settings }),
      work: this.work,
      runs: this.runs,
      leases: this.leases,
      schedules: this.schedules,
      definitions: this.definitions,
      dispatcher: new Dispatcher(this.work, clock),
      firedTimers: new FiredTimers({ runs: ports.runs, clock, log }, this.memory.firedTimers),
      peers: this.#peers,
      admission: new Admission({ ...ports, clock }),
      newNonce: () => `${id}-${nonces++}`,
      pause: () => new Promise<void>((resolve) => clock.after(50, resolve)),
    };
    this.shard = new Shard(shardPorts, 0, this.memory.inWork(0));
  }

  /** Watches, and takes the shard if it is free. */
  static async start(scene: Scene, id: string, options: HolderOptions = {}): Promise<Holder> {
    const holder = new Holder(id, await scene.open(), options);
    // The connection goes first: what a test left hanging must not hold up the end.
    onTestFinished(async () => {
      void holder.shard.stop();
      await holder.connection.close();
    });
    await holder.definitions.follow(holder.schedules);
    if (options.lagging === true) holder.schedules.lag();
    await holder.leases.watch((hint) => holder.shard.onLease(hint));
    return holder;
  }

  /** Takes a shard that is free. */
  async take(): Promise<this> {
    this.shard.consider();
    await until(() => {
      if (!this.shard.isHeld) throw new Error(`${this.id} does not hold the shard`);
    });
    return this;
  }

  /** Tries to depose a holder that may well be alive. */
  depose(other: Holder): void {
    this.#peers.gone.add(other.id);
    this.shard.consider();
  }

  /** The API as this orchestrator would serve it. */
  api(scene: Scene) {
    const { ports } = scene;
    const service = new ApiService(
      { ...ports, admission: new Admission(ports), log: silentLogger, newNonce: () => `api-${nonces++}` },
      this.definitions,
    );
    const ask = (endpoint: string, request: unknown) => service.handle(endpoint, JSON.stringify(request));
    return {
      put: (id: string, schedule: ScheduleInput) => ask("schedule.put", { id, schedule }),
      delete: (id: string) => ask("schedule.delete", { id }),
    };
  }

  async takeFrom(other: Holder): Promise<this> {
    this.depose(other);
    return this.take();
  }
}
