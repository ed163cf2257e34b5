/** What an error of the NATS client means. */
import { JetStreamApiError } from "@nats-io/jetstream";
import { errors } from "@nats-io/transport-node";
import { type ErrorCode, messageOf, PunctualError } from "../core/errors.js";

const TOO_FEW_SERVERS = "expected as many servers with JetStream as replicas";
/** What some answers of JetStream mean for who sets up, by the server's code. */
const MEANINGS: Readonly<Record<number, { code: ErrorCode; advice: string }>> = {
  10005: { code: "unsupported", advice: TOO_FEW_SERVERS },
  10065: {
    code: "conflict",
    advice: "another stream has them; use another namespace, or remove the stream",
  },
  10074: { code: "unsupported", advice: TOO_FEW_SERVERS },
};

/** Not found: the stream, the consumer or the message. */
export function isMissing(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.status === 404;
}

/** The error a user sees when a step of setting up fails. */
export function setUpFailure(step: string, error: unknown): PunctualError {
  if (error instanceof PunctualError) return error;
  const root = rootOf(error);
  if (root instanceof errors.PermissionViolationError) {
    return new PunctualError(
      "denied",
      `${step}: missing permission (${root.message}); grant it to this user`,
      {
        cause: error,
      },
    );
  }
  if (root instanceof errors.NoRespondersError || /jetstream (is )?not enabled/i.test(messageOf(root))) {
    return new PunctualError("unsupported", `${step}: JetStream is not enabled; start nats-server with -js`, {
      cause: error,
    });
  }
  const meaning = root instanceof JetStreamApiError ? MEANINGS[root.code] : undefined;
  if (meaning !== undefined) {
    const text = `${step}: ${messageOf(root)}; ${meaning.advice}`;
    return new PunctualError(meaning.code, text, { cause: error });
  }
  return new PunctualError("unavailable", `${step}: ${messageOf(root)}`, { cause: error });
}

/** The client wraps what has gone wrong in the error of what it did. */
export function rootOf(error: unknown): unknown {
  return error instanceof Error && error.cause instanceof Error && !(error instanceof JetStreamApiError)
    ? rootOf(error.cause)
    : error;
}
