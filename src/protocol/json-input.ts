/**
 * JSON, as programs hand it over: checked, not copied. There may be tens of thousands a second, and a schema that walks
 * by unions and copies takes four times as long for a job as all the rest of its parsing.
 */
import { z } from "zod";
import { show } from "./parse.js";

export type Json = z.core.util.JSONType;

/** Deeper than anyone nests by hand; a circle is deeper. */
const MAX_DEPTH = 256;

/** Where a value is no JSON, and why. */
interface Flaw {
  path: PropertyKey[];
  message: string;
}

/** Any JSON value; what is none is refused with the place in it. */
export const json = z.custom<Json>().superRefine((value, context) => {
  const flaw = flawOf(value, 0);
  if (flaw === null) return;
  const path = flaw.path.reverse();
  context.addIssue({ code: "custom", path, message: flaw.message });
});

/** Whether `json` takes a value. */
export const isJson = (value: unknown): value is Json => flawOf(value, 0) === null;

function flawOf(value: unknown, depth: number): Flaw | null {
  switch (typeof value) {
    case "string":
    case "boolean":
      return null;
    case "number":
      return Number.isFinite(value) ? null : noJson(value);
    case "object":
      break;
    default:
      return noJson(value);
  }
  if (value === null) return null;
  if (depth >= MAX_DEPTH)
    return { path: [], message: `expected at most ${MAX_DEPTH} levels, got more, or a circle` };
  return Array.isArray(value) ? flawOfList(value, depth + 1) : flawOfObject(value, depth + 1);
}

function flawOfList(list: readonly unknown[], depth: number): Flaw | null {
  for (let i = 0; i < list.length; i++) {
    const flaw = flawOf(list[i], depth);
    if (flaw !== null) return within(i, flaw);
  }
  return null;
}

function flawOfObject(object: object, depth: number): Flaw | null {
  const prototype = Object.getPrototypeOf(object);
  if (prototype !== Object.prototype && prototype !== null) return noJson(object);
  for (const key in object) {
    const flaw = flawOf((object as Record<string, unknown>)[key], depth);
    if (flaw !== null) return within(key, flaw);
  }
  return null;
}

function within(key: PropertyKey, flaw: Flaw): Flaw {
  flaw.path.push(key);
  return flaw;
}

function noJson(value: unknown): Flaw {
  const came = typeof value === "object" ? (value?.constructor?.name ?? "object") : show(value);
  return { path: [], message: `expected JSON, got ${typeof value === "number" ? String(value) : came}` };
}
