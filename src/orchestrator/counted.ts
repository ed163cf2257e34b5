/** The counts of runs lie in the lease record of their shard, which must not grow without limit. */
import { PunctualError } from "../core/errors.js";
import { shardOf } from "../core/hash.js";
import type { ScheduleDefinition } from "../core/schedule.js";
import { limits } from "../protocol/limits.js";
import type { Definitions } from "./definitions.js";

/** @throws full when as many schedules of the shard have a limit of runs as may */
export function checkCounted(
  definitions: Definitions,
  id: string,
  { maxRuns }: ScheduleDefinition,
  shards: number,
): void {
  if (maxRuns === 0) return;
  const shard = shardOf(id, shards);
  let others = 0;
  for (const { schedule } of definitions.of(shard))
    if (schedule.maxRuns > 0 && !schedule.deleted && schedule.id !== id) others++;
  if (others < limits.countedPerShard) return;
  throw new PunctualError(
    "full",
    `maxRuns: expected at most ${limits.countedPerShard} schedules with a limit of runs in shard ${shard}, which has as many`,
  );
}
