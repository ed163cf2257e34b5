/** What is fixed when a namespace is made. */
import type { KV } from "@nats-io/kv";
import { z } from "zod";
import { messageOf, PunctualError } from "../core/errors.js";
import { limits } from "../protocol/limits.js";
import { parseJson, parseWith } from "../protocol/parse.js";

const KEY = "settings";
const settings = z.object({ shards: z.int().min(limits.minShards).max(limits.maxShards) });

/** Writes the number of shards, or reads what someone wrote before. */
export async function fixedShards(leases: KV, wanted: number | undefined): Promise<number> {
  if (wanted !== undefined) parseWith(settings, { shards: wanted }, "options");
  const made = await leases.get(KEY);
  if (made === null) {
    try {
      await leases.create(KEY, JSON.stringify({ shards: wanted ?? limits.defaultShards }));
    } catch (error) {
      if ((await leases.get(KEY)) === null)
        throw new PunctualError("unavailable", messageOf(error), { cause: error });
    }
    return fixedShards(leases, wanted);
  }
  const { shards } = parseWith(settings, parseJson(made.string(), KEY), KEY);
  if (wanted !== undefined && wanted !== shards) {
    throw new PunctualError(
      "conflict",
      `shards: the namespace was made with ${shards}, expected that, got ${wanted}`,
    );
  }
  return shards;
}
