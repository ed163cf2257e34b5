/** Reading JetStream's answer to a publish. */
import type { Msg } from "@nats-io/transport-node";
import type { PublishOutcome } from "../core/ports.js";

/** Error codes of JetStream, by the names the server gives them. */
export const errorCodes = {
  noMessageFound: 10037,
  insufficientResources: 10047,
  messageExceedsMaximum: 10054,
  wrongLastSequence: 10071,
  storeFailed: 10077,
  duplicateInProcess: 10158,
  wrongLastSequenceUnknown: 10164,
} as const;

interface PubAck {
  seq?: number;
  duplicate?: boolean;
  error?: { code: number; err_code?: number; description?: string };
}

/** A publish that nobody could hear. */
const NO_STREAM: PublishOutcome = { kind: "full", reason: "no stream answers: has its leader gone?" };

/** The answer that all but a few have, as the server writes it: there may be a hundred thousand a second. */
const STORED = /^\{"stream":"[^"\\]*", ?"seq":(\d+)\}$/;

export function readAck(message: Msg): PublishOutcome {
  if (message.data.length === 0) {
    return message.headers?.code === 503
      ? NO_STREAM
      : { kind: "unknown", error: new Error("an empty answer") };
  }
  const text = message.string();
  const stored = STORED.exec(text);
  if (stored !== null) return { kind: "stored", seq: Number(stored[1]) };
  const ack = JSON.parse(text) as PubAck;
  if (ack.error !== undefined) return refusalOf(ack.error);
  const seq = ack.seq ?? 0;
  return ack.duplicate === true ? { kind: "duplicate", seq } : { kind: "stored", seq };
}

/**
 * 10077 is both "subject taken" and "stream full": only the description tells them apart. An error with status
 * 503 says that the cluster could not do it now, not that it never will.
 */
function refusalOf(error: NonNullable<PubAck["error"]>): PublishOutcome {
  const reason = `${error.description ?? "refused"} (${error.err_code ?? error.code})`;
  switch (error.err_code) {
    case errorCodes.storeFailed:
      return /per subject/.test(reason) ? { kind: "taken" } : { kind: "full", reason };
    case errorCodes.insufficientResources:
      return { kind: "full", reason };
    case errorCodes.duplicateInProcess: // a message with this id is on its way into a replicated stream
      return { kind: "unknown", error: new Error(reason) };
    default:
      return error.code === 503 ? { kind: "unknown", error: new Error(reason) } : { kind: "refused", reason };
  }
}

/** Why a publish was not stored, for an error's message. */
export function reasonOf(outcome: PublishOutcome): string {
  if (outcome.kind === "unknown") return outcome.error.message;
  return "reason" in outcome ? outcome.reason : outcome.kind;
}
