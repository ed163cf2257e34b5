/**
 * The one error type of Punctual. A `code` says what kind of trouble it is, the message names its subject
 * and what to do, `issues` lists the fields when input was refused, `cause` keeps the origin.
 *
 * Expected outcomes (a lost compare-and-swap, a duplicate, an overlap) are return values, never errors.
 */
export type ErrorCode =
  | "invalid" // input refused: `issues` names the fields
  | "not_found"
  | "conflict" // it exists already, or has changed meanwhile
  | "full" // a stream or a limit is full; try again later
  | "denied" // the server refuses: credentials or permissions
  | "unavailable" // no server, no JetStream, no orchestrator answers
  | "unsupported" // the server or the platform cannot do it
  | "timeout"
  | "internal";

/** One refused field. */
export interface Issue {
  /** Where, as in `spec.cron[0].expression`; empty for the whole input. */
  path: string;
  /** What was expected and what came. */
  message: string;
}

export class PunctualError extends Error {
  override readonly name = "PunctualError";
  readonly code: ErrorCode;
  readonly issues: readonly Issue[];

  constructor(
    code: ErrorCode,
    message: string,
    options: { issues?: readonly Issue[]; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.issues = options.issues ?? [];
  }
}

/** An `invalid` error for one field. */
export function invalid(path: string, message: string): PunctualError {
  return new PunctualError("invalid", path === "" ? message : `${path}: ${message}`, {
    issues: [{ path, message }],
  });
}

/** What can be said of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
