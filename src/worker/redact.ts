/** What a worker keeps out of the history: fields by their names, wherever they are. */
import { jsonOf } from "../protocol/parse.js";

export const REDACTED = "[redacted]";

/** A value without the named fields. What is no JSON comes back as it is: it is not kept anyway. */
export type Redact = (value: unknown) => unknown;

/** @param fields names; upper and lower case are the same */
export function redactor(fields: readonly string[]): Redact {
  if (fields.length === 0) return (value) => value;
  const names = new Set(fields.map((field) => field.toLowerCase()));
  const hide = (key: string, value: unknown) => (names.has(key.toLowerCase()) ? REDACTED : value);
  return (value) => {
    // JSON that is well formed before is so after.
    if (typeof value !== "object" || value === null || jsonOf(value) === undefined) return value;
    return JSON.parse(JSON.stringify(value, hide));
  };
}

/** Whether a path, as `users[0].password`, leads to or through a named field. */
export function leadsTo(fields: readonly string[], path: string): boolean {
  const steps = path.toLowerCase().split(/[.[\]]+/);
  return fields.some((field) => steps.includes(field.toLowerCase()));
}
