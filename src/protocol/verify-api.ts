/** What the API says of whole ranges of slots. */
import { z } from "zod";
import { anomalyKinds } from "../core/slot-audit.js";
import { checked } from "./checked-input.js";
import { checkScheduleId } from "./names.js";
import { instant } from "./time-input.js";

const scheduleId = checked(checkScheduleId);
const count = z.int();

export const verifyEndpoints = {
  "verify.range": {
    request: z.strictObject({
      /** The first and the last instant; what is to come is left out. */
      from: instant,
      to: instant,
      /** Default: every schedule. */
      scheduleId: scheduleId.optional(),
    }),
    response: z.object({
      from: z.string(),
      to: z.string(),
      schedules: count,
      /** `fine`: every slot of the range ended once, or is open. `unknown`: of some it can no longer be known. */
      verdict: z.enum(["fine", "amiss", "unknown"]),
      counts: z.object({
        fired: count,
        skipped: count,
        missed: count,
        expired: count,
        /** Being decided, published or told, or waiting for their turn. */
        open: count,
        unknown: count,
        anomalies: count,
      }),
      /** The history before it is no longer complete; null: it is. */
      keptFrom: z.string().nullable(),
      /** Of a schedule with more than a million slots nothing is said from this one on: ask again from there. */
      cut: z.array(z.object({ scheduleId: z.string(), from: z.string() })),
      anomalies: z.array(z.object({ kind: z.enum(anomalyKinds), scheduleId: z.string(), slot: z.string() })),
    }),
  },
} as const;
