/** What a failed attempt leaves behind. */
import { messageOf } from "../core/errors.js";
import { limits } from "../protocol/limits.js";

/**
 * Thrown by a handler: another attempt would fail as well, so the job goes to the dead letters at once.
 * Any other error with a field `retryable` that is `false` does the same.
 */
export class NonRetryableError extends Error {
  override readonly name = "NonRetryableError";
  readonly retryable = false;
}

export function isRetryable(error: unknown): boolean {
  return !(typeof error === "object" && error !== null && "retryable" in error && error.retryable === false);
}

/** An error as it is kept: cut to `limits.errorLength`, so that events and dead letters stay small. */
export interface KeptError {
  error: string;
  /** Where it was thrown, without the message. */
  stack?: string;
}

export function keepError(error: unknown): KeptError {
  const message = messageOf(error) || "an error without a message";
  const stack = error instanceof Error ? framesOf(error) : undefined;
  return { error: cut(message), ...(stack !== undefined && { stack: cut(stack) }) };
}

/** A stack begins with the message, which may be long and is kept already. */
function framesOf({ stack, name, message }: Error): string | undefined {
  if (typeof stack !== "string") return undefined;
  const end = message === "" ? -1 : stack.indexOf(message);
  return end < 0 ? stack : `${name}${stack.slice(end + message.length)}`;
}

const cut = (text: string): string => text.slice(0, limits.errorLength);
