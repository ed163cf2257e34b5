/**
 * One orchestrator on one connection. A publish may only be made on the connection on which its lease was checked,
 * so everything here lives exactly as long as the connection does.
 */
import type { AlertBus, AlertCourier } from "../core/alert.js";
import type { AlertStore } from "../core/alert-store.js";
import type { BackfillStore } from "../core/backfill.js";
import type { CalendarStore } from "../core/calendar-store.js";
import type { ChainStore } from "../core/chain-store.js";
import type { DeadLetterStore, QueuedJobs, StuckMessages } from "../core/dead-letter-store.js";
import type { ServerFigures } from "../core/figures.js";
import type { FiredRecords } from "../core/fired-record.js";
import type { GateStore } from "../core/gate-store.js";
import type { BeatStore } from "../core/heartbeat.js";
import type { RunHistory } from "../core/lookback.js";
import type {
  ApiServer,
  Cancellations,
  Clock,
  DeadLetters,
  DeliverySource,
  LeaseStore,
  Member,
  Membership,
  RunEnds,
  RunLog,
  ScheduleStore,
  Subscription,
  WorkStream,
} from "../core/ports.js";
import type { QueueConsumers, QueueStore } from "../core/queue.js";
import type { RunsReader } from "../core/runs-reader.js";
import type { SlotLedger } from "../core/slot-audit.js";
import { preferredHolder } from "../core/spread.js";
import type { OrchestratorTelemetry } from "../core/telemetry.js";
import type { TimerStore } from "../core/timer.js";
import type { TimerList } from "../core/timer-list.js";
import type { Tracing } from "../core/tracing.js";
import type { ClaimStore } from "../core/unique-period.js";
import type { Names } from "../protocol/names.js";
import { Admission } from "../runtime/admission.js";
import type { Logger } from "../runtime/log.js";
import { AlertBook } from "./alert-book.js";
import { AlertKeeper } from "./alert-keeper.js";
import { Alerter } from "./alerter.js";
import { ApiService } from "./api-service.js";
import { Backfiller } from "./backfiller.js";
import { Chainer } from "./chainer.js";
import { DeadLetterKeeper, STUCK_REASON } from "./dead-letters.js";
import { Definitions } from "./definitions.js";
import { Dispatcher } from "./dispatcher.js";
import { FailurePauser } from "./failure-pauser.js";
import { FiredTimers } from "./fired-timers.js";
import { Gatekeepers } from "./gatekeepers.js";
import { HeartbeatJudge } from "./heartbeat-judge.js";
import { Intake } from "./intake.js";
import { Peers } from "./members.js";
import type { Memory } from "./memory.js";
import type { OrchestratorSettings } from "./options.js";
import { QueueKeeper } from "./queue-keeper.js";
import { Reconciler } from "./reconciler.js";
import { RuleJudge } from "./rule-judge.js";
import { Shard } from "./shard.js";
import { SlotChecker } from "./slot-checker.js";
import { Surveyor } from "./surveyor.js";
import { Sweeper } from "./sweeper.js";

export interface OrchestratorPorts {
  clock: Clock;
  log: Logger;
  names: Names;
  shards: number;
  leases: LeaseStore;
  schedules: ScheduleStore;
  calendars: CalendarStore;
  /** For fires. */
  work: WorkStream;
  runs: RunLog & FiredRecords;
  history: RunHistory;
  reader: RunsReader;
  backfills: BackfillStore;
  queues: QueueStore;
  queueConsumers: QueueConsumers;
  claims: ClaimStore;
  gates: GateStore;
  membership: Membership;
  dead: DeadLetters;
  letters: DeadLetterStore;
  queuedJobs: QueuedJobs;
  stuck: StuckMessages;
  apiServer: ApiServer;
  timers: TimerStore;
  timerList: TimerList;
  intake: DeliverySource;
  advisories: DeliverySource;
  failures: DeliverySource;
  cancellations: Cancellations;
  ends: RunEnds;
  figures: ServerFigures;
  ledger: SlotLedger;
  alerts: AlertBus;
  alertStore: AlertStore;
  beats: BeatStore;
  chains: ChainStore;
  courier?: AlertCourier | undefined;
  telemetry: OrchestratorTelemetry;
  tracing: Tracing;
  /** Payloads above this are refused, in bytes. */
  maxPayload: number;
  newNonce(): string;
}

/** How often shards that are not held are looked at, and shards that should move are moved. */
const CONSIDER_MS = 100;
/** Members must have been the same for this long before a shard moves. */
const SETTLED_MS = 500;
const FULL_PAUSE_MS = 250;
/** An orchestrator that has not looked at its shards for so long is not ready. */
const STALLED_MS = 5_000;

export class OrchestratorSession {
  readonly #ports: OrchestratorPorts;
  readonly #self: Member;
  readonly #definitions: Definitions;
  readonly #memory: Memory;
  readonly #dispatcher: Dispatcher;
  readonly #firedTimers: FiredTimers;
  readonly #admission: Admission;
  readonly #peers: Peers;
  readonly #shards: Shard[];
  readonly #alertEveryMs: number;
  #subscriptions: Subscription[] = [];
  #cancelTimer: () => void = () => {};
  /** When shards were looked at last; null before the start. */
  #consideredAt: number | null = null;
  #stopped = false;

  constructor(ports: OrchestratorPorts, settings: OrchestratorSettings, self: Member, memory: Memory) {
    this.#ports = ports;
    this.#self = self;
    this.#alertEveryMs = settings.alertEvery;
    const { clock, log, names } = ports;
    this.#definitions = new Definitions(ports.shards, names, log);
    this.#dispatcher = new Dispatcher(ports.work, clock);
    this.#firedTimers = new FiredTimers(ports, memory.firedTimers);
    this.#admission = new Admission(ports);
    const { membership } = ports;
    this.#memory = memory;
    const { formerIds } = memory;
    this.#peers = new Peers({ membership, clock, log, probeMs: settings.probe, formerIds }, self, () =>
      this.#considerAll(),
    );
    const shardPorts = {
      ...ports,
      settings,
      self: self.id,
      definitions: this.#definitions,
      dispatcher: this.#dispatcher,
      firedTimers: this.#firedTimers,
      admission: this.#admission,
      peers: this.#peers,
      pause: () => new Promise<void>((resolve) => clock.after(FULL_PAUSE_MS, resolve)),
    };
    this.#shards = Array.from(
      { length: ports.shards },
      (_, number) => new Shard(shardPorts, number, memory.inWork(number)),
    );
  }

  get id(): string {
    return this.#self.id;
  }

  /** Shards held now. */
  get held(): number[] {
    return this.#shards.filter((shard) => shard.isHeld).map((shard) => shard.number);
  }

  /** What keeps it from deciding; null when nothing does. */
  get problem(): string | null {
    if (this.#stopped) return "is stopping";
    if (this.#consideredAt === null) return "the schedules are being loaded";
    const silentMs = this.#ports.clock.monotonic() - this.#consideredAt;
    if (silentMs > STALLED_MS) return `has looked at no shard for ${Math.round(silentMs)} ms`;
    const left = this.#leftOver;
    return left > 0 ? `${left} shards that should be its own have no live holder` : null;
  }

  /** Shards that fall to us and that nobody who is known to live holds. */
  get #leftOver(): number {
    const answering = this.#peers.answering();
    const isLeft = (shard: Shard) =>
      !shard.isHeld &&
      preferredHolder(shard.number, answering) === this.#self.id &&
      (shard.holder === null || shard.holder === this.#self.id || !answering.includes(shard.holder));
    return this.#shards.filter(isLeft).length;
  }

  async start(): Promise<void> {
    const ports = this.#ports;
    const definitions = this.#definitions;
    this.#subscriptions.push(await definitions.follow(ports.schedules));
    this.#subscriptions.push(await ports.leases.watch((hint) => this.#shards[hint.shard]?.onLease(hint)));
    await this.#peers.start();
    // One for both, so that each knows what the other has let in.
    const admission = this.#admission;
    const api = new ApiService({ ...ports, admission }, definitions);
    this.#subscriptions.push(
      ports.apiServer.serve(this.#self.id, (endpoint, body) => api.handle(endpoint, body)),
    );
    this.#subscriptions.push(await new QueueKeeper(ports).start());
    this.#subscriptions.push(await new Intake({ ...ports, admission }, this.#memory.takenIn).start());
    const deadLetters = new DeadLetterKeeper(ports);
    this.#subscriptions.push(await deadLetters.start());
    const move = (seq: number, attempts: number) => deadLetters.move(seq, attempts, STUCK_REASON);
    this.#subscriptions.push(await new FailurePauser(ports, definitions).start());
    const isMine = (shard: number) => this.#shards[shard]?.isHeld === true;
    this.#subscriptions.push(await new Backfiller(ports, definitions, isMine).start());
    const termOf = (shard: number) => this.#shards[shard]?.actingTerm ?? null;
    this.#subscriptions.push(new Reconciler(ports, move, () => termOf(0)).start());
    this.#subscriptions.push(await new Gatekeepers(ports, termOf).start());
    this.#subscriptions.push(await new Chainer({ ...ports, admission }, termOf).start());
    this.#subscriptions.push(new Sweeper(ports, () => termOf(0)).start());
    const keeper = new AlertKeeper(ports, () => termOf(0));
    this.#subscriptions.push(new SlotChecker(ports, definitions, this.#memory, keeper).start());
    const book = new AlertBook(ports);
    this.#subscriptions.push(await book.follow());
    // A beat is the only sign of life of what runs elsewhere: nothing comes before it.
    const judges = [new HeartbeatJudge(ports, book), new RuleJudge(ports, definitions, book)];
    this.#subscriptions.push(
      new Alerter(ports, { book, keeper, judges, everyMs: this.#alertEveryMs }).start(),
    );
    this.#subscriptions.push(new Surveyor(ports, () => isMine(0)).start());
    this.#consideredAt = ports.clock.monotonic();
    this.#everyWhile();
  }

  /** Hands its shards over and leaves. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTimer();
    await Promise.all(this.#shards.map((shard) => shard.stop()));
    await this.#peers.stop();
    await Promise.allSettled(this.#subscriptions.map((subscription) => subscription.stop()));
    this.#dispatcher.stop();
    await this.#firedTimers.stop();
  }

  #everyWhile(): void {
    this.#cancelTimer = this.#ports.clock.after(CONSIDER_MS, () => {
      if (this.#stopped) return;
      this.#consideredAt = this.#ports.clock.monotonic();
      this.#considerAll();
      this.#moveOne();
      this.#everyWhile();
    });
  }

  #considerAll(): void {
    for (const shard of this.#shards) if (!shard.isHeld) shard.consider();
  }

  /** One at a time, so that a newcomer takes over smoothly. */
  #moveOne(): void {
    if (this.#peers.stableFor < SETTLED_MS) return;
    const live = this.#peers.live();
    const moving = this.#shards.find(
      (shard) => shard.isHeld && preferredHolder(shard.number, live) !== this.#self.id,
    );
    moving?.release();
  }
}
