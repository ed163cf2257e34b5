import { expect, test } from "vitest";
import { decodeFired, encodeFired } from "../../src/protocol/fired-record.js";

test("timers that were fired come back as they were told", () => {
  expect(decodeFired(encodeFired({ timers: [7, 1, 2 ** 52] }))).toEqual([7, 1, 2 ** 52]);
});

test.each([
  ["", "no JSON"],
  ["{}", "no record"],
  ['{"timers":7}', "no list"],
  ['{"timers":[0]}', "a sequence that cannot be one"],
  ['{"timers":[7,"8"]}', "a text among the sequences"],
])("%j tells of no timer: %s", (text) => {
  expect(decodeFired(text)).toEqual([]);
});
