/** Expected heartbeats in the API. All times are RFC 3339, in UTC. */
import { z } from "zod";
import { heartbeatInput, heartbeatName } from "./heartbeat-input.js";

/** A heartbeat as the API shows it. */
export const heartbeatView = z.object({
  name: z.string(),
  revision: z.int(),
  /** In the form in which it can be put again. */
  heartbeat: z.record(z.string(), z.unknown()),
  /** Null: there was none yet. */
  lastBeat: z.string().nullable(),
  /** When the next is expected, without the grace; null: never. */
  expected: z.string().nullable(),
  /** Whether it is over that time, and the grace too. */
  missing: z.boolean(),
});
export type HeartbeatView = z.output<typeof heartbeatView>;

const ifRevision = z.int().min(0).optional();
const byName = z.strictObject({ name: heartbeatName });

export const heartbeatEndpoints = {
  "heartbeat.put": {
    request: z.strictObject({ name: heartbeatName, heartbeat: heartbeatInput, ifRevision }),
    response: heartbeatView,
  },
  "heartbeat.get": { request: byName, response: heartbeatView },
  "heartbeat.list": {
    request: z.strictObject({}),
    response: z.object({ heartbeats: z.array(heartbeatView) }),
  },
  "heartbeat.delete": {
    request: z.strictObject({ name: heartbeatName, ifRevision }),
    response: z.object({ name: z.string() }),
  },
  /** Refused for a name that nobody expects; a publish to its subject is not. */
  "heartbeat.beat": { request: byName, response: heartbeatView },
} as const;
