import { expect, test } from "vitest";
import { leadsTo, redactor } from "../../src/worker/redact.js";

test("named fields are hidden, wherever they are and however they are written", () => {
  const redact = redactor(["password", "Token"]);
  const value = { user: "a", Password: "p", list: [{ token: { deep: 1 }, kept: 2 }], at: new Date(0) };
  expect(redact(value)).toEqual({
    ...{ user: "a", Password: "[redacted]", list: [{ token: "[redacted]", kept: 2 }] },
    at: "1970-01-01T00:00:00.000Z",
  });
  expect(value.Password).toBe("p");
});

test("what has no fields, and what is no JSON, comes back as it is", () => {
  const redact = redactor(["password"]);
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  for (const value of [1, "password", null, undefined, circle]) expect(redact(value)).toBe(value);
  const kept = { password: 1 };
  expect(redactor([])(kept)).toBe(kept);
});

test("a path leads through a field or it does not", () => {
  expect(leadsTo(["password"], "users[0].Password.hash")).toBe(true);
  expect(leadsTo(["password"], "users[0].passwords")).toBe(false);
});
