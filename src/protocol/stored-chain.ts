/** Chains and groups as they lie in their bucket, as JSON. */
import { z } from "zod";
import { Bitmap } from "../core/bitmap.js";
import type { ChainRecord, Group } from "../core/chain.js";
import { runStates } from "../core/run.js";
import { limits } from "./limits.js";

const followed = z.object({
  runId: z.string(),
  queue: z.string(),
  onSuccess: z.string().nullable(),
  onFailure: z.string().nullable(),
  group: z.object({ id: z.string(), index: z.int().min(0) }).nullable(),
  decided: z.object({ state: z.enum(runStates), at: z.number(), life: z.int() }).nullable(),
});

const group = z.object({
  group: z.string(),
  members: z.int().min(1).max(limits.groupMembers),
  onDone: z.string(),
  done: z.base64(),
  failed: z.base64(),
  createdAt: z.number(),
  completedAt: z.number().nullable(),
});

export function encodeChain(record: ChainRecord): string {
  if (record.kind === "run") {
    const { kind: _, ...fields } = record;
    return JSON.stringify(fields);
  }
  const { id, members, onDone, done, failed, createdAt, completedAt } = record;
  const bits = { done: base64(done), failed: base64(failed) };
  return JSON.stringify({ group: id, members, onDone, ...bits, createdAt, completedAt });
}

/** Null when it is none: anyone with the rights can write into the bucket. */
export function decodeChain(text: string): ChainRecord | null {
  try {
    const value: unknown = JSON.parse(text);
    const run = followed.safeParse(value);
    return run.success ? { kind: "run", ...run.data } : groupOf(group.parse(value));
  } catch {
    return null;
  }
}

function groupOf({ group: id, members, done, failed, ...rest }: z.output<typeof group>): Group {
  const bits = (text: string) => new Bitmap(members, Buffer.from(text, "base64"));
  return { kind: "group", id, members, ...rest, done: bits(done), failed: bits(failed) };
}

export const base64 = (bitmap: Bitmap): string => Buffer.from(bitmap.bytes).toString("base64");
