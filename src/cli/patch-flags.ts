/** Changes of a few fields, as flags and `--unset` describe them. */
import type { Command } from "commander";
import { invalid } from "../core/errors.js";

/** Anything with fields by name. */
interface Shape {
  readonly shape: Readonly<Record<string, unknown>>;
}

export function addUnset(command: Command, example: string): Command {
  return command.option(
    "--unset <field>",
    `as by default again, as ${example}; may be repeated`,
    (field: string, before: string[] = []) => [...before, field],
  );
}

/** `labels.team` → `{labels: {team: null}}`; a label's key may have dots itself. */
export function unsetting(fields: readonly string[], { shape }: Shape, example: string) {
  return fields.reduce<Record<string, unknown>>((patch, field) => {
    const [, head = "", tail] = /^([^.]+)(?:\.(.+))?$/.exec(field) ?? [];
    if (!Object.hasOwn(shape, head))
      throw invalid("--unset", `expected a field such as ${example}, got ${JSON.stringify(field)}`);
    return mergePatches(patch, { [head]: tail === undefined ? null : { [tail]: null } });
  }, {});
}

/** Of two patches, `over` wins field by field; unlike in a patch itself, null is kept. */
export function mergePatches(
  under: Record<string, unknown>,
  over: Record<string, unknown>,
): Record<string, unknown> {
  const result = { ...under };
  for (const [field, value] of Object.entries(over)) {
    const before = result[field];
    const both = [before, value].every(
      (one) => typeof one === "object" && one !== null && !Array.isArray(one),
    );
    result[field] = both ? { ...(before as object), ...(value as object) } : value;
  }
  return result;
}
