/** A cron line as people write it, and the spec that stands for it. */
import { z } from "zod";
import { invalid } from "../core/errors.js";
import type { CronSpec, DstPolicy, EverySpec } from "../core/schedule.js";
import { intervalOf } from "../core/time/cron-line.js";
import { parseDuration } from "./duration.js";

export const dstInput = z.strictObject({
  gap: z
    .enum(["next", "skip"])
    .optional()
    .describe(
      "Local times that are skipped: fire right after them, or not. Default: daily `next`, else `skip`.",
    ),
  overlap: z
    .enum(["first", "second", "both"])
    .optional()
    .describe("Local times that come twice: when to fire. Default: daily `first`, else `both`."),
});

export interface CronInput {
  cron: string;
  timeZone?: string | undefined;
  dst?: DstPolicy | undefined;
}

/**
 * A cron line, or an interval when it is `@every 10m`; the zone means nothing to that one. Refuses as `invalid`,
 * naming `cron`, an interval that is none; a cron line is read when it is compiled.
 */
export function cronItemOf({ cron, timeZone, dst }: CronInput): CronSpec | EverySpec {
  const interval = intervalOf(cron);
  if (interval === undefined) {
    const says = dst?.gap !== undefined || dst?.overlap !== undefined;
    return { kind: "cron", expression: cron, timeZone: timeZone ?? "UTC", ...(says && { dst }) };
  }
  const everyMs = parseDuration(interval);
  if (everyMs !== null && everyMs > 0) return { kind: "every", everyMs, phaseMs: 0 };
  throw invalid(
    "cron",
    `column ${cron.indexOf("@") + 1}: expected @every with a duration such as @every 90s or @every 1h30m, got ${JSON.stringify(cron)}`,
  );
}
