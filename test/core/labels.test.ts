import { describe, expect, test } from "vitest";
import { labelKeyProblem, labelValueProblem, matches, parseSelector } from "../../src/core/labels.js";

const long = "x".repeat(63);

test.each(["team", "a", "9", "Team.x_y-z", long, "example.com/team", "a/b", `${"d".repeat(63)}.com/x`])(
  "%j is a key",
  (key) => {
    expect(labelKeyProblem(key)).toBeUndefined();
  },
);

test.each([
  ["", /1 to 63 characters/],
  [`${long}x`, /1 to 63 characters/],
  ["-a", /first and last/],
  ["a.", /first and last/],
  ["a b", /1 to 63 characters/],
  ["a/b/c", /1 to 63 characters/],
  ["/a", /DNS name/],
  ["Example.com/a", /DNS name/],
  [`${"d.".repeat(127)}x/a`, /DNS name of at most 253/],
  ["a/", /1 to 63 characters/],
])("%j is no key", (key, problem) => {
  expect(labelKeyProblem(key)).toMatch(problem);
});

test("a value is like a name without prefix, or empty", () => {
  for (const value of ["", "billing", "1.0", long]) expect(labelValueProblem(value)).toBeUndefined();
  for (const value of [" ", "a/b", "ü", `${long}x`, "-"])
    expect(labelValueProblem(value)).toMatch(/, or nothing$/);
});

describe("a selector", () => {
  const labels = { team: "billing", env: "prod", empty: "" };
  test.each<[string, boolean]>([
    ["team=billing", true],
    ["team==billing", true],
    ["team=sales", false],
    ["team!=sales", true],
    ["team!=billing", false],
    ["none!=any", true],
    ["none=", false],
    ["empty=", true],
    ["team", true],
    ["none", false],
    ["!none", true],
    ["!team", false],
    ["team=billing,env=prod", true],
    ["team=billing, env=test", false],
  ])("%s: %s", (text, expected) => {
    expect(matches(parseSelector(text), labels)).toBe(expected);
  });

  test("does not take what every object has for a label", () => {
    expect(matches(parseSelector("constructor"), labels)).toBe(false);
    expect(matches(parseSelector("team"))).toBe(false);
  });

  test.each(["", "=", "=a", "a=b=c", "!a=b", "a=b,", "a in (b)", "a!b", "a b"])("%j is refused", (text) => {
    expect(() => parseSelector(text)).toThrow(/^selector: expected key=value, key!=value, key or !key/);
  });
});
