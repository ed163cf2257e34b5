/** What an error of the NATS client means. */
import { JetStreamApiError } from "@nats-io/jetstream";
import { errors } from "@nats-io/transport-node";
import { messageOf, PunctualError } from "../core/errors.js";

/** No suitable peers in the cluster; replicas on a server that is alone. */
const TOO_FEW_SERVERS = new Set([10005, 10074]);

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
  if (root instanceof JetStreamApiError && TOO_FEW_SERVERS.has(root.code)) {
    const expected = "expected as many servers with JetStream as replicas";
    return new PunctualError("unsupported", `${step}: ${root.message}; ${expected}`, { cause: error });
  }
  return new PunctualError("unavailable", `${step}: ${messageOf(root)}`, { cause: error });
}

function rootOf(error: unknown): unknown {
  return error instanceof Error && error.cause instanceof Error && !(error instanceof JetStreamApiError)
    ? rootOf(error.cause)
    : error;
}
