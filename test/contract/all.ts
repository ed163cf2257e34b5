/** Every suite, for one set of implementations. */
import { describeAlertBus, describeAlertStore } from "./alerts.js";
import { describeBackfillStore } from "./backfills.js";
import { describeCalendarStore } from "./calendars.js";
import { describeClaimStore } from "./claims.js";
import { describeDeadLetters } from "./dead.js";
import { describeDeadLetterStore, describeQueuedJobs, describeStuckMessages } from "./dead-letter-store.js";
import { describeCancellations, describeRunEnds } from "./ends.js";
import { describeGateStore } from "./gates.js";
import { describeRunHistory } from "./history.js";
import { describeLanes } from "./lanes.js";
import { describeLeaseStore } from "./leases.js";
import { describeMembership } from "./members.js";
import type { MakePorts } from "./ports.js";
import { describeQueueConsumers } from "./queue-consumers.js";
import { describeQueueStore } from "./queues.js";
import { describeRunLog } from "./runs.js";
import { describeRunsReader } from "./runs-reader.js";
import { describeScheduleStore } from "./schedules.js";
import { describeWorkSource } from "./source.js";
import { describeTimerStore } from "./timers.js";
import { describeWorkStream } from "./work.js";

export function describeAllPorts(name: string, make: MakePorts): void {
  describeLeaseStore(name, make);
  describeScheduleStore(name, make);
  describeCalendarStore(name, make);
  describeWorkStream(name, make);
  describeRunLog(name, make);
  describeMembership(name, make);
  describeDeadLetters(name, make);
  describeDeadLetterStore(name, make);
  describeQueuedJobs(name, make);
  describeStuckMessages(name, make);
  describeQueueStore(name, make);
  describeClaimStore(name, make);
  describeGateStore(name, make);
  describeQueueConsumers(name, make);
  describeWorkSource(name, make);
  describeLanes(name, make);
  describeBackfillStore(name, make);
  describeTimerStore(name, make);
  describeRunHistory(name, make);
  describeRunsReader(name, make);
  describeRunEnds(name, make);
  describeCancellations(name, make);
  describeAlertStore(name, make);
  describeAlertBus(name, make);
}
