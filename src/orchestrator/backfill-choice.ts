/** Which slots of a backfill come next, and which of them are to run. */
import { type Backfill, batchSize, isToRun, nextSlots } from "../core/backfill.js";
import { CLOCKS_DIFFER_MS } from "../core/instant.js";
import { type Outcomes, type RunHistory, reportOn } from "../core/lookback.js";
import type { LeaseStore } from "../core/ports.js";
import type { Instant, Schedule } from "../core/schedule.js";
import { runIdOf } from "../protocol/names.js";
import type { Definition } from "./definitions.js";

export interface ChoicePorts {
  history: RunHistory;
  leases: LeaseStore;
}

/** What is known of a range, as of one moment. */
export interface Past {
  outcomes: Outcomes;
  /** Of these slots nothing was sure then. */
  isOpen(slot: Instant): boolean;
}

export interface Choice {
  slots: { slot: Instant; runs: boolean }[];
  /** What would come next may still fire by itself, or has by now: look at the past again later. */
  isHeldUp: boolean;
}

/** Slots that one write decides to run, at most. */
const MOST_TOGETHER = 200;
/** Slots that are looked at for one batch when most of them had their turn. */
const LOOKS = 1_000;

export async function chooseSlots(
  ports: ChoicePorts,
  backfill: Backfill,
  { schedule, times }: Definition,
  { outcomes, isOpen }: Past,
): Promise<Choice> {
  const most = batchSize(backfill.rate, MOST_TOGETHER);
  const slots: Choice["slots"] = [];
  let running = 0;
  for (const slot of nextSlots(backfill, times, LOOKS)) {
    if (isOpen(slot)) return { slots, isHeldUp: true };
    const runs = await isWanted(ports, backfill, schedule, slot, outcomes);
    slots.push({ slot, runs });
    if (runs && ++running >= most) break;
  }
  return { slots, isHeldUp: false };
}

/** The lease record first: what is not open in it was told before the outcomes are read. */
export async function pastOf(ports: ChoicePorts, backfill: Backfill, schedule: Schedule): Promise<Past> {
  const isOpen = await openSlots(ports, schedule);
  return { isOpen, outcomes: await outcomesFor(ports, backfill, schedule) };
}

/** What is told of the slots of a range; nothing where nobody asks. */
export async function outcomesFor(
  { history }: ChoicePorts,
  { reprocess, from }: Pick<Backfill, "reprocess" | "from">,
  schedule: Schedule,
): Promise<Outcomes> {
  if (reprocess === "all") return { fired: new Map(), reports: [] };
  return history.outcomes(schedule, from - CLOCKS_DIFFER_MS);
}

export async function isWanted(
  { history }: ChoicePorts,
  { reprocess }: Pick<Backfill, "reprocess">,
  { id }: Schedule,
  slot: Instant,
  outcomes: Outcomes,
): Promise<boolean> {
  const last = reprocess === "all" ? null : await history.lastEvent(runIdOf(id, slot));
  return isToRun(reprocess, slot, outcomes, last);
}

/** The slots that the shard has not decided, is publishing, has put off as misfires, or has not told to be skipped. */
async function openSlots(
  { leases }: ChoicePorts,
  { id, shard }: Schedule,
): Promise<(slot: Instant) => boolean> {
  const lease = await leases.read(shard);
  if (lease === null) return () => true;
  const { cursor, firing, backlog, reports } = lease.value;
  const own = new Set(firing.filter(({ scheduleId }) => scheduleId === id).map(({ slot }) => slot));
  const waiting = backlog.filter(({ scheduleId }) => scheduleId === id);
  const isWaiting = (slot: Instant) => waiting.some(({ after, until }) => after < slot && slot <= until);
  const untold = { fired: new Map(), reports: reports.filter(({ scheduleId }) => scheduleId === id) };
  return (slot) =>
    slot >= cursor.time || own.has(slot) || isWaiting(slot) || reportOn(untold, slot) !== undefined;
}
