import { describe, expect, test } from "vitest";
import { z } from "zod";
import { json } from "../../src/protocol/json-input.js";
import { parseWith } from "../../src/protocol/parse.js";

const request = z.strictObject({ payload: json.default(null) });
const parse = (payload: unknown) => parseWith(request, { payload }, "enqueue");

describe("JSON", () => {
  test.each([
    [null],
    [true],
    [0],
    [-1.5],
    [""],
    [[]],
    [{}],
    [{ a: [1, { b: null }], c: "d" }],
    [Object.create(null)],
  ])("is taken as it is: %j", (payload) => {
    expect(parse(payload).payload).toBe(payload);
  });

  test("may be left out where there is a default", () => {
    expect(parseWith(request, {}, "enqueue").payload).toBeNull();
  });

  class Money {}
  test.each([
    ["payload", Number.NaN, "NaN"],
    ["payload", 10n, "bigint"],
    ["payload.at", { at: new Date(0) }, "Date"],
    ["payload.sum", { sum: new Money() }, "Money"],
    ["payload.a.b[1]", { a: { b: [1, () => 1] } }, "function"],
    ["payload.a", { a: undefined }, "nothing"],
    ["payload[0]", [Number.POSITIVE_INFINITY], "Infinity"],
    ["payload.map", { map: new Map() }, "Map"],
  ])("is not what has none: %s", (path, payload, came) => {
    expect(() => parse(payload)).toThrow(`enqueue: ${path}: expected JSON, got ${came}`);
  });

  test("has no circles", () => {
    const circle: { self?: unknown } = {};
    circle.self = circle;
    expect(() => parse(circle)).toThrow(/expected at most 256 levels, got more, or a circle/);
  });
});
