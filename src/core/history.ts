/** What changed from one revision of a definition to the next, field by field. */

/** A field by its path, as `retry.factor` or `labels.team`; absent values were, or are, not there. */
export interface FieldChange {
  field: string;
  from?: unknown;
  to?: unknown;
}

/** Fields of objects are compared one by one; lists and single values as a whole. */
export function changesBetween(before: unknown, after: unknown): FieldChange[] {
  const [old, current] = [fieldsOf(before), fieldsOf(after)];
  const fields = [...new Set([...old.keys(), ...current.keys()])];
  return fields.flatMap((field) => {
    const [from, to] = [old.get(field), current.get(field)];
    if (JSON.stringify(from) === JSON.stringify(to)) return [];
    return [{ field, ...(from !== undefined && { from }), ...(to !== undefined && { to }) }];
  });
}

function fieldsOf(value: unknown, path = "", found = new Map<string, unknown>()): Map<string, unknown> {
  const isTree = typeof value === "object" && value !== null && !Array.isArray(value);
  const entries = isTree ? Object.entries(value) : [];
  // An empty object is a value of its own.
  if (entries.length === 0 && path !== "") found.set(path, value);
  for (const [key, inner] of entries) fieldsOf(inner, path === "" ? key : `${path}.${key}`, found);
  return found;
}

export type RevisionAction = "created" | "changed" | "paused" | "resumed" | "deleted";

interface States {
  paused: boolean;
  deleted: boolean;
}

/** @param before null: there was none, or it is no longer kept */
export function actionOf(before: States | null, after: States, isFirst: boolean): RevisionAction {
  if (after.deleted) return "deleted";
  if (isFirst || before?.deleted === true) return "created";
  if (before !== null && before.paused !== after.paused) return after.paused ? "paused" : "resumed";
  return "changed";
}
