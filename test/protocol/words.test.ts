/** Wrong values into every field of everything that people may say: each is refused in our words, not in zod's. */
import { describe, expect, test } from "vitest";
import type { z } from "zod";
import type { Issue, PunctualError } from "../../src/core/errors.js";
import { orchestratorOptions } from "../../src/orchestrator/options.js";
import { endpoints } from "../../src/protocol/api.js";
import { parseWith } from "../../src/protocol/parse.js";
import { batchOptions, workerOptions } from "../../src/worker/options.js";

const wrong: readonly unknown[] = [
  ...[null, true, "", " ", "\n", "x".repeat(20_000), "ä ö", "2026-02-30T00:00:00Z"],
  ...[-1, 0, 1.5, 1e12, 1e300, Number.NaN, Number.POSITIVE_INFINITY],
  ...[[], [null], [1, 2], ["x", "x"], Array(2_000).fill("x")],
  ...[{}, { nosuch: 1 }, { "": "" }, { a: { b: [1n] } }, () => {}, new Date(0), Symbol.iterator],
];

/** What a schema is made of, as far as it can be looked into. */
interface Inner {
  def: { type: string; innerType?: z.ZodType; in?: z.ZodType; element?: z.ZodType; options?: z.ZodType[] };
  shape?: Record<string, z.ZodType>;
}

/** Every field, by its path, with the objects on the way to it. */
function fieldsOf(schema: z.ZodType, path: readonly string[] = []): string[][] {
  const { def, shape } = schema as unknown as Inner;
  if (shape !== undefined)
    return Object.entries(shape).flatMap(([name, field]) => [
      [...path, name],
      ...fieldsOf(field, [...path, name]),
    ]);
  const inner = def.innerType ?? def.in;
  if (inner !== undefined) return fieldsOf(inner, path);
  if (def.element !== undefined) return fieldsOf(def.element, [...path, "0"]);
  return (def.options ?? []).flatMap((option) => fieldsOf(option, path));
}

/** A request that is wrong in one field; what lies on the way is as small as can be. */
function withField(path: readonly string[], value: unknown): unknown {
  const [head, ...rest] = path;
  if (head === undefined) return value;
  const inner = withField(rest, value);
  return head === "0" ? [inner] : { [head]: inner };
}

const kinds = ["late", "missed", "failing", "running-long", "not-succeeded", "queue-deep", "dead-letters"];

function* inputsOf(schema: z.ZodType): Generator<unknown> {
  yield* wrong;
  for (const path of fieldsOf(schema))
    for (const value of wrong) {
      yield withField(path, value);
      // Of a rule nothing is looked at before its kind.
      if (path[0] === "rule")
        for (const kind of kinds) yield { name: "r", rule: { kind, ...ruleOf(path, value) } };
    }
}

const ruleOf = (path: readonly string[], value: unknown) =>
  withField(path.slice(1), value) as Record<string, unknown>;

function issuesOf(schema: z.ZodType, input: unknown): readonly Issue[] {
  try {
    parseWith(schema, input, "input");
    return [];
  } catch (error) {
    return (error as PunctualError).issues;
  }
}

const ZODS = /Invalid|Too (big|small)|Unrecognized|received|to (be|have) [<>]/;
const OURS = /^unknown field |^(?!.*undefined).*got /s;

const all: [string, z.ZodType][] = [
  ...Object.entries(endpoints).map(([name, { request }]) => [name, request] as [string, z.ZodType]),
  ["orchestrator options", orchestratorOptions],
  ["worker options", workerOptions],
  ["batch options", batchOptions],
];

describe("what is wrong is said in words that name what was expected and what came", () => {
  test.each(all)("%s", (_name, schema) => {
    const told = new Set<string>();
    for (const input of inputsOf(schema))
      for (const { path, message } of issuesOf(schema, input)) told.add(`${path}: ${message}`);
    expect(
      [...told].filter((text) => ZODS.test(text) || !OURS.test(text.slice(text.indexOf(": ") + 2))),
    ).toEqual([]);
    expect(told.size).toBeGreaterThan(2);
  });
});
