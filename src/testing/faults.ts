/** What can go wrong between a program and the memory server, for tests to inject. */

import type { Backfill } from "../core/backfill.js";
import type { CalendarDefinition } from "../core/calendar.js";
import type { EndRecord } from "../core/end-record.js";
import type { FiredRecord } from "../core/fired-record.js";
import type { LeaseRecord } from "../core/lease.js";
import type { RunEvent, SlotRecord, StoredMessage, WorkMessage } from "../core/ports.js";
import type { ScheduleDefinition } from "../core/schedule.js";

/**
 * `lost before`: it never arrives. `answer lost`: it is done, and nobody is told. `late`: nobody is told, and it is
 * done only when the server's `deliverLate()` is called. Undefined: nothing goes wrong.
 */
export type Fault = "lost before" | "answer lost" | "late" | undefined;

/** Asked anew for each request. All are absent at first: nothing goes wrong. */
export interface Faults {
  publish?: (message: WorkMessage) => Fault;
  leaseWrite?: (shard: number, record: LeaseRecord) => Fault;
  scheduleWrite?: (id: string, definition: ScheduleDefinition) => Fault;
  timer?: (message: { subject: string }) => Fault;
  backfillWrite?: (id: string, backfill: Backfill) => Fault;
  claimWrite?: (queue: string, key: string) => Fault;
  queueWrite?: (queue: string, text: string) => Fault;
  chainWrite?: (key: string, text: string) => Fault;
  alertWrite?: (key: string, text: string) => Fault;
  calendarWrite?: (name: string, definition: CalendarDefinition) => Fault;
  runEvent?: (event: RunEvent) => Fault;
  slotRecord?: (record: SlotRecord) => Fault;
  firedRecord?: (record: FiredRecord) => Fault;
  endRecord?: (record: EndRecord) => Fault;
  /** Reads and everything else that is asked of the server: true when there is no answer. */
  read?: (what: string) => boolean;
  /** True when what a worker says of a delivery is lost. */
  settlement?: (what: "ack" | "nak" | "working" | "term", seq: number) => boolean;
  /** True when the server's own record in RUNS, that a message was stored, is lost. */
  republish?: (message: StoredMessage) => boolean;
  /** True when the server's word that a message has reached its delivery limit is lost. */
  advisory?: (message: StoredMessage) => boolean;
  /** Milliseconds until a request arrives, and until its answer does. */
  delayMs?: () => number;
  /** Milliseconds until a change reaches a watcher. */
  watchDelayMs?: (what: "leases" | "schedules" | "members" | "timers" | "queues") => number;
}
