/** From the memory server to the ports over one connection to it. */
import { silentTelemetry } from "../core/telemetry.js";
import { noTracing } from "../core/tracing.js";
import { MemoryAlertBus, MemoryAlertStore } from "./alerts.js";
import { MemoryApi } from "./api.js";
import { MemoryBackfillStore } from "./backfills.js";
import { MemoryBeatStore } from "./beats.js";
import { MemoryCalendarStore } from "./calendars.js";
import { MemoryCancellations } from "./cancellations.js";
import { MemoryChainStore } from "./chains.js";
import { MemoryClaimStore } from "./claims.js";
import { MemoryDeadLetters } from "./dead.js";
import { MemoryDeadLetterStore, MemoryQueuedJobs, MemoryStuckMessages } from "./dead-letter-store.js";
import { MemoryRunEnds } from "./ends.js";
import { MemoryServerFigures } from "./figures.js";
import { MemoryGateStore } from "./gates.js";
import { MemoryLeaseStore } from "./leases.js";
import { MemoryLink } from "./link.js";
import { MemoryMembership } from "./members.js";
import { MemoryQueueConsumers } from "./queue-consumers.js";
import { MemoryQueueStore } from "./queues.js";
import { MemoryRunHistory } from "./run-history.js";
import { MemoryRunLog } from "./runs.js";
import { MemoryRunsReader } from "./runs-reader.js";
import { MemoryScheduleStore } from "./schedules.js";
import type { MemoryServer } from "./server.js";
import { MemorySlotLedger } from "./slot-ledger.js";
import { MemoryDeliverySource, MemoryWorkSource } from "./source.js";
import { MemoryTimerList } from "./timer-list.js";
import { MemoryTimerStore } from "./timers.js";
import { MemoryWorkStream } from "./work.js";

export type MemoryPorts = ReturnType<typeof openMemoryPorts>;

/** Opens every port over a connection of its own, which `link` can cut or suspend. */
export function openMemoryPorts(server: MemoryServer) {
  const link = new MemoryLink(server);
  const api = new MemoryApi(server, link);
  return {
    link,
    names: server.names,
    shards: server.shards,
    maxPayload: server.maxPayload,
    telemetry: silentTelemetry,
    tracing: noTracing,
    leases: new MemoryLeaseStore(server, link),
    schedules: new MemoryScheduleStore(server, link),
    calendars: new MemoryCalendarStore(server, link),
    work: new MemoryWorkStream(server, link),
    runs: new MemoryRunLog(server, link),
    history: new MemoryRunHistory(server, link),
    ledger: new MemorySlotLedger(server, link),
    figures: new MemoryServerFigures(server, link),
    reader: new MemoryRunsReader(server, link),
    alerts: new MemoryAlertBus(server, link),
    chains: new MemoryChainStore(server, link),
    beats: new MemoryBeatStore(server, link),
    alertStore: new MemoryAlertStore(server, link),
    backfills: new MemoryBackfillStore(server, link),
    dead: new MemoryDeadLetters(server, link),
    timers: new MemoryTimerStore(server, link),
    timerList: new MemoryTimerList(server, link),
    letters: new MemoryDeadLetterStore(server, link),
    queuedJobs: new MemoryQueuedJobs(server, link),
    stuck: new MemoryStuckMessages(server, link),
    queues: new MemoryQueueStore(server, link),
    gates: new MemoryGateStore(server, link),
    claims: new MemoryClaimStore(server, link),
    queueConsumers: new MemoryQueueConsumers(server, link),
    membership: new MemoryMembership(server, link),
    source: new MemoryWorkSource(server, link),
    intake: new MemoryDeliverySource(server, link, server.intakeConsumer),
    advisories: new MemoryDeliverySource(server, link, server.advisoryConsumer),
    failures: new MemoryDeliverySource(server, link, server.failureConsumer),
    cancellations: new MemoryCancellations(server, link),
    ends: new MemoryRunEnds(server, link),
    apiServer: api,
    api,
  };
}
