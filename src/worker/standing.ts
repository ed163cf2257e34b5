/** What the history says of a job before it is begun. */
import { type RunEventType, terminalEvents } from "../protocol/events.js";
import { slotOf } from "../protocol/job-message.js";
import type { InHand } from "./in-hand.js";
import type { Workplace } from "./workplace.js";

/** A message stored this much after its fire time may be of a run that is over: its first message was lost from sight. */
const LATE_MS = 1_000;

/** Only a run of a slot can be over: an id that a producer chose may be used again. */
export function mayBeOver({ job, delivery }: InHand): boolean {
  const slot = slotOf(job);
  return slot !== null && (delivery.attempt > 1 || delivery.storedAt > slot + LATE_MS);
}

export function isOver(place: Workplace, hand: InHand): Promise<boolean> {
  return hasAny(place, hand, "asking whether a run is over", terminalEvents);
}

export const mayBeExpired = ({ clock }: Workplace, { job: { startDeadline } }: InHand): boolean =>
  startDeadline !== null && clock.now() > startDeadline;

/** Of one that may be. Only the start is late: a run that was begun in time goes on, attempt after attempt. */
export async function isExpired(place: Workplace, hand: InHand): Promise<boolean> {
  if (hand.attempt === 1) return true;
  return !(await hasAny(place, hand, "asking whether a run was started", ["started", "retried"]));
}

async function hasAny(
  { runs }: Workplace,
  { runId, persistence }: InHand,
  what: string,
  types: readonly RunEventType[],
): Promise<boolean> {
  const ask = () => Promise.all(types.map((type) => runs.has(runId, type)));
  return (await persistence.of(what, ask)).includes(true);
}
