/** The history of a definition, as the API tells it. */
import { z } from "zod";
import { actionOf, changesBetween, type FieldChange } from "../core/history.js";
import { firstRevisionOf, type Schedule } from "../core/schedule.js";
import { limits } from "./limits.js";
import { inputOf } from "./schedule-input.js";

export const scheduleHistory = z.object({
  id: z.string(),
  /** The newest first. */
  revisions: z.array(
    z.object({
      revision: z.int(),
      action: z.enum(["created", "changed", "paused", "resumed", "deleted"]),
      /** When and by whom, where it is known. */
      changedAt: z.string().optional(),
      changedBy: z.string().optional(),
      /** Long values are cut, to a text that ends with `…`. */
      changes: z.array(
        z.object({ field: z.string(), from: z.unknown().optional(), to: z.unknown().optional() }),
      ),
      /** Changes beyond those that are told. */
      more: z.int(),
    }),
  ),
  /** False: there were older revisions, which are no longer kept. */
  complete: z.boolean(),
});
export type ScheduleHistory = z.output<typeof scheduleHistory>;

/** @param kept the revisions that are still there, the oldest first; not empty */
export function historyOf(id: string, kept: readonly Schedule[]): ScheduleHistory {
  const [oldest] = kept;
  const complete = oldest !== undefined && firstRevisionOf(oldest) === oldest.revision;
  const revisions = kept.map((schedule, index) => {
    const before = kept[index - 1] ?? null;
    const { revision, changedAt, changedBy } = schedule;
    const isFirst = index === 0 && complete;
    const changes = before === null && !isFirst ? [] : changesOf(before, schedule);
    return {
      revision,
      action: actionOf(before, schedule, isFirst),
      ...(changedAt !== undefined && { changedAt: new Date(changedAt).toISOString() }),
      ...(changedBy !== undefined && { changedBy }),
      changes: changes.slice(0, limits.historyFields).map(cut),
      more: Math.max(0, changes.length - limits.historyFields),
    };
  });
  return { id, revisions: revisions.reverse(), complete };
}

/** Of what was deleted or made anew, all that it had. */
function changesOf(before: Schedule | null, after: Schedule): FieldChange[] {
  const said = (schedule: Schedule | null) =>
    schedule === null || schedule.deleted ? {} : inputOf(schedule);
  return changesBetween(said(before), said(after));
}

function cut({ field, from, to }: FieldChange): { field: string; from: unknown; to: unknown } {
  return { field, from: short(from), to: short(to) };
}

function short(value: unknown): unknown {
  const text = JSON.stringify(value) ?? "";
  return text.length > limits.historyValueLength ? `${text.slice(0, limits.historyValueLength)}…` : value;
}
