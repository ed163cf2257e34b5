import { describe, expect, test } from "vitest";
import { headers as h } from "../../src/protocol/headers.js";
import { isTold } from "../../src/worker/told.js";
import { Bench } from "./support.js";

const job = { scheduleId: null, fireTime: null, startDeadline: null };
const ofSchedule = { ...job, scheduleId: "nightly", fireTime: 0 };
const forATime = { ...job, fireTime: 0 };

describe("what a worker tells of a run", () => {
  test.each(["started", "retried", "succeeded", "dead"] as const)("is all with full history: %s", (type) => {
    expect(isTold(type, "full", job, {})).toBe(true);
  });

  test.each([
    ["succeeded", true],
    ["dead", true],
    ["expired", true],
    ["cancelled", true],
    ["started", false],
    ["retried", false],
  ] as const)("is its end with the history of outcomes: %s %s", (type, told) => {
    expect(isTold(type, "outcome", job, {})).toBe(told);
  });

  test.each(["succeeded", "dead", "started", "retried"] as const)(
    "is nothing without history: %s",
    (type) => {
      expect(isTold(type, "off", job, {})).toBe(false);
    },
  );

  test("is its end whatever the history when a schedule fired it, so that its slot does not run again", () => {
    expect(isTold("succeeded", "off", ofSchedule, {})).toBe(true);
    expect(isTold("started", "off", ofSchedule, {})).toBe(false);
    expect(isTold("succeeded", "off", forATime, {})).toBe(false);
  });

  test.each([h.onSuccess, h.onFailure, h.group])("is its end when %s waits for it", (name) => {
    expect(isTold("succeeded", "off", job, { [name]: "{}" })).toBe(true);
  });

  test.each(["outcome", "off"] as const)("is its beginning when it has a start deadline: %s", (level) => {
    const late = { ...job, startDeadline: 1 };
    expect(isTold("started", level, late, {})).toBe(true);
    expect(isTold("retried", level, late, {})).toBe(true);
  });
});

describe("a queue without history", () => {
  test("has its jobs acknowledged, and buried, without an event", async () => {
    const bench = new Bench();
    bench.settings = { ...bench.settings, history: "off" };
    await bench.start(({ payload }) => {
      if (payload === "fail") throw new Error("no");
    });
    bench.deliver({ headers: { [h.runId]: "job-1" } });
    await bench.journal.until("ack");
    bench.deliver({ seq: 8, payload: "fail", headers: { [h.runId]: "job-2", [h.maxAttempts]: "1" } });
    await bench.journal.until("term: the last attempt failed");
    expect(bench.done).toEqual(["ack", "bury", "term: the last attempt failed"]);
  });

  test("still tells the end of a schedule's run", async () => {
    const bench = new Bench();
    bench.settings = { ...bench.settings, history: "off" };
    await bench.start(() => {});
    bench.deliver();
    await bench.journal.until("ack");
    expect(bench.done).toEqual(["append succeeded", "ack"]);
  });
});
