/** Compare-and-swap on a key of a bucket, and reads that see what was acknowledged. */
import type { JetStreamManager } from "@nats-io/jetstream";
import type { CasOutcome } from "../core/ports.js";
import type { Instant } from "../core/schedule.js";
import { errorCodes, reasonOf } from "./ack.js";
import type { Publisher } from "./publisher.js";

interface BucketName {
  bucket: string;
  stream: string;
}

const encoder = new TextEncoder();
const DELETED = new Set(["DEL", "PURGE"]);

/**
 * Writes a key if its revision is still `revision`; 0: if it was never written. A lost answer is `unknown`. So is
 * 10164, by which a replicated stream says that another write is under way: it is not proof of loss.
 */
export async function compareAndSwap(
  publisher: Publisher,
  { bucket }: BucketName,
  key: string,
  value: string,
  revision: number,
  more: Readonly<Record<string, string>> = {},
): Promise<CasOutcome> {
  const headers = { "Nats-Expected-Last-Subject-Sequence": String(revision), ...more };
  await publisher.ready();
  const outcome = await publisher.publish(`$KV.${bucket}.${key}`, headers, encoder.encode(value));
  switch (outcome.kind) {
    case "stored":
      return { kind: "stored", revision: outcome.seq };
    case "unknown":
      return outcome;
    case "refused":
      if (outcome.reason.endsWith(`(${errorCodes.wrongLastSequence})`)) return { kind: "lost" };
      return { kind: "unknown", error: new Error(outcome.reason) };
    default:
      return { kind: "unknown", error: new Error(reasonOf(outcome)) };
  }
}

/** The newest value of a key, from the stream's leader; null when there is none or it was deleted. */
export async function readLatest(
  jsm: JetStreamManager,
  { bucket, stream }: BucketName,
  key: string,
): Promise<{ text: string; revision: number; storedAt: Instant } | null> {
  const message = await jsm.streams.getMessage(stream, { last_by_subj: `$KV.${bucket}.${key}` });
  if (message === null || DELETED.has(message.header?.get("KV-Operation") ?? "")) return null;
  return { text: message.string(), revision: message.seq, storedAt: message.time.getTime() };
}

/** The sequence of the marker by which a key was removed; null when it is there, or never was. */
export async function deletionMarker(
  jsm: JetStreamManager,
  { bucket, stream }: BucketName,
  key: string,
): Promise<number | null> {
  const message = await jsm.streams.getMessage(stream, { last_by_subj: `$KV.${bucket}.${key}` });
  return message?.header?.has("KV-Operation") ? message.seq : null;
}
