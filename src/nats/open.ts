/** From a connection to the ports over it. */
import { jetstream } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import type { Clock } from "../core/ports.js";
import { silentTelemetry } from "../core/telemetry.js";
import { noTracing } from "../core/tracing.js";
import type { Names } from "../protocol/names.js";
import { NatsAlertStore } from "./alert-store.js";
import { NatsAlertBus } from "./alerts.js";
import { NatsApiCaller, NatsApiServer } from "./api.js";
import { NatsBackfillStore } from "./backfills.js";
import { NatsBeatStore } from "./beats.js";
import { NatsCalendarStore } from "./calendars.js";
import { NatsCancellations } from "./cancellations.js";
import { NatsChainStore } from "./chains.js";
import { NatsClaimStore } from "./claims.js";
import { ConsumerInfos } from "./consumer-infos.js";
import { NatsDeadLetters } from "./dead.js";
import { NatsDeadLetterStore } from "./dead-letter-store.js";
import { NatsRunEnds } from "./ends.js";
import { NatsServerFigures } from "./figures.js";
import { NatsGateStore } from "./gates.js";
import { NatsLeaseStore } from "./leases.js";
import { NatsMembership } from "./members.js";
import { provision } from "./provision.js";
import { Publisher } from "./publisher.js";
import { NatsQueueConsumers } from "./queue-consumers.js";
import { NatsQueuedJobs } from "./queued-jobs.js";
import { NatsQueueStore } from "./queues.js";
import { managerOf } from "./reads.js";
import { NatsRunHistory } from "./run-history.js";
import { NatsRunLog } from "./runs.js";
import { NatsRunsReader } from "./runs-reader.js";
import { NatsScheduleStore } from "./schedules.js";
import { checkServer, checkStreams } from "./server-check.js";
import { fixedShards } from "./settings.js";
import { SingleMessages } from "./single-messages.js";
import { NatsSlotLedger } from "./slot-ledger.js";
import { DurableSource, NatsWorkSource } from "./source.js";
import { ConnectionStatus } from "./status.js";
import { NatsStuckMessages } from "./stuck.js";
import { NatsTimerList } from "./timer-list.js";
import { NatsTimerStore } from "./timers.js";
import { NatsWorkStream } from "./work.js";

export interface NatsPortsOptions {
  names: Names;
  clock: Clock;
  replicas: number;
  /** Undefined: whatever the namespace has. */
  shards: number | undefined;
  version: string;
  /** Whether to make what is missing. Default true. */
  create?: boolean;
}

export type NatsPorts = Awaited<ReturnType<typeof openPorts>>;

/** A write that is not answered for this long is in doubt; less than a lease's time. */
const CAS_TIMEOUT_MS = 2_000;

/** Checks the server, makes what is missing, and opens every port over one connection. */
export async function openPorts(connection: NatsConnection, options: NatsPortsOptions) {
  const { names, clock } = options;
  const js = jetstream(connection);
  const jsm = await managerOf(connection);
  const server = await checkServer(connection, jsm);
  const buckets = await provision(connection, jsm, names, {
    replicas: options.replicas,
    create: options.create ?? true,
  });
  await checkStreams(jsm, names.work, server);
  const shards = await fixedShards(buckets.leases, options.shards);
  // Fires may fill their window; writes of leases and events never wait behind them.
  const jobs = new Publisher(connection, clock);
  const records = new Publisher(connection, clock, { timeoutMs: CAS_TIMEOUT_MS });
  const events = new Publisher(connection, clock);
  const timerMessages = new SingleMessages(connection, clock, names.timers);
  const infos = new ConsumerInfos(connection, jsm, names.work, clock);
  const consumers = new NatsQueueConsumers(connection, jsm, infos, names);
  const status = new ConnectionStatus(connection);
  return {
    names,
    clock,
    shards,
    server,
    maxPayload: server.maxPayload,
    ledger: new NatsSlotLedger(js, jsm, names, shards),
    alerts: new NatsAlertBus(connection, names),
    alertStore: new NatsAlertStore({ js, jsm, bucket: buckets.alerts, publisher: records, names }),
    chains: new NatsChainStore(jsm, buckets.chains, records, names),
    beats: new NatsBeatStore(jsm, records, names),
    figures: new NatsServerFigures({ jsm, consumers: infos, members: buckets.members, names, clock }),
    telemetry: silentTelemetry,
    tracing: noTracing,
    window: () => jobs.window,
    isConnected: () => status.isConnected,
    leases: new NatsLeaseStore(js, jsm, records, names),
    schedules: new NatsScheduleStore(buckets.schedules, jsm, records, names, shards),
    calendars: new NatsCalendarStore(jsm, records, names),
    work: new NatsWorkStream(jobs, jsm, names),
    runs: new NatsRunLog(jsm, events, names),
    history: new NatsRunHistory(js, jsm, names),
    reader: new NatsRunsReader(connection, js, jsm, names),
    backfills: new NatsBackfillStore(buckets.backfills, jsm, records, names),
    dead: new NatsDeadLetters(events, names, server.maxPayload),
    timers: new NatsTimerStore({ js, jsm, publisher: jobs, messages: timerMessages, names }),
    timerList: new NatsTimerList(js, jsm, names),
    queues: new NatsQueueStore({ jsm, names, bucket: buckets.queues, publisher: records, consumers }),
    queueConsumers: consumers,
    claims: new NatsClaimStore(jsm, records, names),
    gates: new NatsGateStore(connection, jsm, names),
    letters: new NatsDeadLetterStore(js, jsm, names),
    queuedJobs: new NatsQueuedJobs(js, jsm, names),
    stuck: new NatsStuckMessages(jsm, infos, names),
    membership: new NatsMembership(connection, buckets.members, names),
    source: new NatsWorkSource(connection, clock, names),
    intake: new DurableSource(connection, clock, { stream: names.intake, consumer: names.intakeConsumer }),
    advisories: new DurableSource(connection, clock, {
      stream: names.runs,
      consumer: names.deadLetterConsumer,
    }),
    failures: new DurableSource(connection, clock, { stream: names.runs, consumer: names.failureConsumer }),
    cancellations: new NatsCancellations(connection, names),
    ends: new NatsRunEnds(connection, names),
    apiServer: new NatsApiServer(connection, names, options.version),
    api: new NatsApiCaller(connection, names),
  };
}
