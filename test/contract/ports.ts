/** What every suite runs on: the ports of one fresh namespace, over two connections. */
import type { AlertBus } from "../../src/core/alert.js";
import type { AlertStore } from "../../src/core/alert-store.js";
import type { BackfillStore } from "../../src/core/backfill.js";
import type { CalendarStore } from "../../src/core/calendar-store.js";
import type { ChainStore } from "../../src/core/chain-store.js";
import type { DeadLetterStore, QueuedJobs, StuckMessages } from "../../src/core/dead-letter-store.js";
import type { EndRecords } from "../../src/core/end-record.js";
import type { ServerFigures } from "../../src/core/figures.js";
import type { FiredRecords } from "../../src/core/fired-record.js";
import type { GateStore } from "../../src/core/gate-store.js";
import type { BeatStore } from "../../src/core/heartbeat.js";
import type { RunHistory } from "../../src/core/lookback.js";
import type {
  Cancellations,
  Clock,
  DeadLetters,
  LeaseStore,
  Membership,
  RunEnds,
  RunLog,
  ScheduleStore,
  StoredMessage,
  WorkSource,
  WorkStream,
} from "../../src/core/ports.js";
import type { QueueConsumers, QueueStore } from "../../src/core/queue.js";
import type { RunsReader } from "../../src/core/runs-reader.js";
import type { SlotLedger } from "../../src/core/slot-audit.js";
import type { TimerStore } from "../../src/core/timer.js";
import type { TimerList } from "../../src/core/timer-list.js";
import type { ClaimStore } from "../../src/core/unique-period.js";
import type { Names } from "../../src/protocol/names.js";
import type { Arrivals } from "../support/until.js";

export interface Ports {
  leases: LeaseStore;
  schedules: ScheduleStore;
  calendars: CalendarStore;
  work: WorkStream;
  runs: RunLog & FiredRecords & EndRecords;
  membership: Membership;
  dead: DeadLetters;
  letters: DeadLetterStore;
  queuedJobs: QueuedJobs;
  stuck: StuckMessages;
  queues: QueueStore;
  gates: GateStore;
  queueConsumers: QueueConsumers;
  chains: ChainStore;
  claims: ClaimStore;
  timers: TimerStore;
  timerList: TimerList;
  source: WorkSource;
  backfills: BackfillStore;
  history: RunHistory;
  ledger: SlotLedger;
  figures: ServerFigures;
  reader: RunsReader;
  ends: RunEnds;
  cancellations: Cancellations;
  alertStore: AlertStore;
  alerts: AlertBus;
  beats: BeatStore;
}

export interface PortsUnderTest {
  names: Names;
  clock: Clock;
  one: Ports;
  /** Over another connection: what one writes, the other reads. */
  other: Ports;
  /** Lets time pass where a clock is turned by hand; where time passes by itself, nothing. */
  pass(ms: number): Promise<void>;
  /** WORK holds no more messages than this from now on. */
  limitWork(messages: number): Promise<void>;
  /** Announcements fade after this long from now on. */
  fadeMembersAfter(ms: number): Promise<void>;
  /** Takes a definition out of its bucket, past the port, as an operator can. */
  eraseDefinition(id: string): Promise<void>;
  /** Writes any text in the place of a definition, past the port. */
  overwriteDefinition(id: string, text: string): Promise<void>;
  /** Writes any text into the bucket of queues, past the port. */
  overwriteQueue(queue: string, text: string): Promise<void>;
  deadLetters(queue: string): Promise<StoredMessage[]>;
  /** What anyone hears who listens to alerts from now on. */
  hearAlerts(): Promise<Arrivals<{ subject: string; body: unknown }>>;
  /** Ends the first connection. */
  cutOne(): Promise<void>;
  cleanup(): Promise<void>;
}

export type MakePorts = () => Promise<PortsUnderTest>;
