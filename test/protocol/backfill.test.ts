import { expect, test } from "vitest";
import type { Backfill } from "../../src/core/backfill.js";
import {
  BackfillMessages,
  decodeBackfill,
  encodeBackfill,
  formatRate,
  parseRate,
} from "../../src/protocol/backfill.js";
import { headers as h } from "../../src/protocol/headers.js";
import { isRunId, namesOf, parseRunId } from "../../src/protocol/names.js";
import { schedule } from "../core/given.js";

test.each(["1/s", "10/s", "1000/s", "30/m", "60000/m", "5/h"])("%s is a rate", (text) => {
  expect(formatRate(parseRate(text) as NonNullable<ReturnType<typeof parseRate>>)).toBe(text);
});

test.each(["", "10", "0/s", "-1/s", "1.5/s", "10/d", "1001/s", "60001/m", "10 / s", "10/s "])(
  "%j is no rate",
  (text) => {
    expect(parseRate(text)).toBeNull();
  },
);

test("a record is read as it was written, and refused when it is none", () => {
  const backfill: Backfill = {
    ...{ scheduleId: "s", revision: 7, from: 1, to: 2, reprocess: "failed", backwards: true },
    ...{ rate: { count: 1, periodMs: 1_000 }, state: "failed", reason: "why", cursor: 2, batch: [1, 2] },
    ...{ notBefore: 3, slots: null, queued: 4, passedBy: 5, missed: 6 },
    ...{ createdAt: 7, createdBy: "anna", changedAt: 8 },
  };
  expect(decodeBackfill(encodeBackfill(backfill), "b1")).toEqual(backfill);
  expect(() => decodeBackfill('{"scheduleId":1}', "b1")).toThrow(/^stored backfill b1: scheduleId: /);
});

test("a run names its slot and its backfill, and has the low lane and a subject to itself", () => {
  const names = namesOf("ns");
  const slot = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
  const longest = "x".repeat(128);
  const messages = new BackfillMessages(
    names,
    "b0123456789".slice(0, 10),
    schedule(longest, { startDeadlineMs: 5 }),
  );
  const { subject, msgId, headers } = messages.message(slot, slot - 1_000);
  const runId = `${longest}:20260102T030405678Z:b012345678`;
  expect(isRunId(runId)).toBe(true);
  expect(parseRunId(runId)).toBeNull(); // not the slot's own run
  expect({ subject, msgId }).toEqual({ subject: `ns.low.default.${runId}`, msgId: `${runId}/1` });
  expect(headers).toMatchObject({
    [h.runId]: runId,
    [h.trigger]: "backfill",
    [h.fireTime]: "2026-01-02T03:04:05.678Z",
    [h.previousFireTime]: "2026-01-02T03:04:04.678Z",
  });
  expect(headers).not.toHaveProperty(h.startDeadline);
});
