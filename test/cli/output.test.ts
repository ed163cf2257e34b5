import { expect, test } from "vitest";
import { tableLines, utcTime, zonedTime } from "../../src/cli/output.js";

test("columns are as wide as their widest cell, and lines have no blanks at the end", () => {
  expect(
    tableLines(
      ["ID", "STATE"],
      [
        ["nightly", "active"],
        ["a", ""],
      ],
    ),
  ).toEqual(["ID       STATE", "nightly  active", "a"]);
});

test("a cell cannot break the table or drive the terminal", () => {
  expect(tableLines(["NOTE"], [["one\ntwo\u001b[31m"]])).toEqual(["NOTE", "one two [31m"]);
});

test.each([
  [0, "1970-01-01 00:00:00Z"],
  [1_250, "1970-01-01 00:00:01.250Z"],
])("%d is %j", (instant, text) => {
  expect(utcTime(instant)).toBe(text);
});

test.each([
  ["2026-07-30T03:00:00Z", "Europe/Berlin", "2026-07-30 05:00:00 +02:00"],
  ["2026-01-30T03:00:00Z", "Europe/Berlin", "2026-01-30 04:00:00 +01:00"],
  ["2026-01-30T03:00:00Z", "America/St_Johns", "2026-01-29 23:30:00 -03:30"],
  ["2026-01-30T03:00:00Z", "UTC", "2026-01-30 03:00:00 +00:00"],
])("%s in %s is %s", (utc, zone, text) => {
  expect(zonedTime(Date.parse(utc), zone)).toBe(text);
});
