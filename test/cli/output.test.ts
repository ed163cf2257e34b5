import { expect, test } from "vitest";
import { tableLines, utcTime } from "../../src/cli/output.js";

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
