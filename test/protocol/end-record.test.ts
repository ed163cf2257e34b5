import { expect, test } from "vitest";
import { decodeEnds, encodeEnds } from "../../src/protocol/end-record.js";

test("ends come back as they were told", () => {
  const record = {
    queue: "mail",
    worker: "w1",
    ends: [
      { runId: "job-1", seq: 7, attempt: 1, durationMs: 0.012 },
      { runId: "job-2", seq: 8, attempt: 2, durationMs: 0, result: { sent: [1, 2] } },
      { runId: "job-3", seq: 9, attempt: 1, durationMs: 3, result: null },
    ],
  };
  expect(decodeEnds(encodeEnds(record))).toEqual(record);
});

test.each([
  ["", "no JSON"],
  ["{}", "no record"],
  ['{"queue":"q","worker":"w","succeeded":[["a.b",1,1,1]]}', "a run id that cannot be one"],
  ['{"queue":"q","worker":"w","succeeded":[["a",0,1,1]]}', "a sequence that cannot be one"],
  ['{"queue":"q","worker":"w","succeeded":[["a",1,1]]}', "a row that is too short"],
])("%j tells of no run: %s", (text) => {
  expect(decodeEnds(text)).toBeNull();
});
