import { describe, expect, it } from "vitest";
import { type Priority, priorities } from "../../src/core/lane.js";
import { defaultRetry } from "../../src/core/retry.js";
import type { Schedule } from "../../src/core/schedule.js";
import { headers as h, isReservedHeader } from "../../src/protocol/headers.js";
import { bodyOf, FireMessages, msgIdOf, policyHeaders, readJob } from "../../src/protocol/job-message.js";
import { namesOf } from "../../src/protocol/names.js";
import { schedule } from "../core/given.js";

const names = namesOf("shop");
const SLOT = Date.UTC(2026, 10, 24, 3);
const retry = { maxAttempts: 3, initialDelayMs: 250, factor: 1.5, maxDelayMs: 9_000 };
const job = { queue: "mail", payload: { to: "ü" }, headers: { "X-Trace": "t" }, retry, timeoutMs: 5_000 };
const messages = (more: Partial<Schedule> = {}) =>
  new FireMessages(names, schedule("nightly", { job, ...more }));

describe("the message of a fire", () => {
  it("has the payload as its body and everything else as headers", () => {
    const message = messages().message(SLOT, 4);
    expect(Buffer.from(message.body).toString()).toBe('{"to":"ü"}');
    expect(message.msgId).toBe("nightly:20261124T030000Z/4");
    expect(message.headers).toEqual({
      "X-Trace": "t",
      [h.scheduleId]: "nightly",
      [h.runId]: "nightly:20261124T030000Z",
      [h.fireTime]: "2026-11-24T03:00:00.000Z",
      [h.maxAttempts]: "3",
      [h.backoff]: "250,1.5,9000",
      [h.timeout]: "5000",
    });
  });

  it("has one subject for all slots when overlaps are skipped, one for each when allowed", () => {
    expect(messages({ overlap: "skip" }).subject(SLOT)).toBe("shop.work.mail.nightly.1");
    expect(messages({ overlap: "allow" }).subject(SLOT)).toBe("shop.work.mail.nightly.20261124T030000Z");
    expect(messages({ overlap: "allow" }).message(SLOT + 1, 1).subject).toMatch(/\.20261124T030000001Z$/);
  });

  it("goes into the lane of its priority", () => {
    const of = (priority: Priority) => messages({ job: { ...job, priority } }).subject(SLOT);
    expect(priorities.map(of)).toEqual([
      "shop.high.mail.nightly.1",
      "shop.work.mail.nightly.1",
      "shop.low.mail.nightly.1",
    ]);
  });

  it("keeps the run id over terms, and has a message id for each", () => {
    const [first, second] = [messages().message(SLOT, 1), messages().message(SLOT, 2)];
    expect(first.headers[h.runId]).toBe(second.headers[h.runId]);
    expect(first.msgId).not.toBe(second.msgId);
    expect(msgIdOf("a:1", 2)).toBe("a:1/2");
  });

  it("can be of a run that no slot asks for", () => {
    const message = messages().message(SLOT, 1, { runId: "nightly:manual-1", trigger: "manual" });
    expect(message).toMatchObject({
      msgId: "nightly:manual-1/1",
      headers: { [h.runId]: "nightly:manual-1", [h.trigger]: "manual" },
    });
  });

  it("cannot be told another run id by the schedule's own headers", () => {
    const own = { [h.runId]: "x", [h.scheduleId]: "x" };
    const message = messages({ job: { ...job, headers: own } }).message(SLOT, 1);
    expect(message.headers).toMatchObject({
      [h.runId]: "nightly:20261124T030000Z",
      [h.scheduleId]: "nightly",
    });
  });
});

describe("bodies", () => {
  it.each([
    [undefined, "null"],
    [null, "null"],
    [0, "0"],
    ["", '""'],
    [[1], "[1]"],
  ])("%j is %s", (payload, text) => {
    expect(Buffer.from(bodyOf(payload)).toString()).toBe(text);
  });
});

describe("reading a job", () => {
  it("reads what a fire wrote", () => {
    const made = messages({ startDeadlineMs: 5_000 }).message(SLOT, 1, {
      trigger: "catch-up",
      previous: SLOT - 1,
    });
    expect(readJob(made.headers, () => "fallback")).toEqual({
      runId: "nightly:20261124T030000Z",
      scheduleId: "nightly",
      fireTime: SLOT,
      previousFireTime: SLOT - 1,
      trigger: "catch-up",
      parent: null,
      group: null,
      startDeadline: SLOT + 5_000,
      retry,
      timeoutMs: 5_000,
      attemptsBefore: 0,
    });
  });

  it("leaves out what is as by default, and reads it as that", () => {
    expect(policyHeaders({ retry: defaultRetry, timeoutMs: 0 })).toEqual({});
    expect(readJob({}, () => "fallback")).toEqual({
      runId: "fallback",
      scheduleId: null,
      fireTime: null,
      previousFireTime: null,
      trigger: null,
      parent: null,
      group: null,
      startDeadline: null,
      retry: defaultRetry,
      timeoutMs: 0,
      attemptsBefore: 0,
    });
  });

  it("has no start deadline when it is of a backfill, which is late by its nature", () => {
    const made = messages({ startDeadlineMs: 5_000 }).message(SLOT, 1, { trigger: "backfill" });
    expect(readJob(made.headers, () => "").startDeadline).toBeNull();
  });

  it.each([
    { [h.maxAttempts]: "0", [h.backoff]: "x", [h.timeout]: "-5", [h.fireTime]: "soon" },
    { [h.maxAttempts]: "2.5", [h.backoff]: "-1,-2,NaN", [h.timeout]: "5s" },
    { [h.maxAttempts]: "", [h.backoff]: "Infinity,Infinity,Infinity", [h.timeout]: "" },
  ])("believes no nonsense: %j", (headers) => {
    const read = readJob(headers, () => "fallback");
    expect(read).toMatchObject({ fireTime: null, retry: defaultRetry, timeoutMs: 0 });
  });

  it.each(["a.b", "a b", "a>", "", "x".repeat(1_000)])(
    "believes no run id that cannot be one: %j",
    (runId) => {
      expect(readJob({ [h.runId]: runId }, () => "fallback").runId).toBe("fallback");
    },
  );
});

describe("reserved headers", () => {
  it("are those of the server and of Punctual, in any case", () => {
    expect(["Nats-Msg-Id", "nats-rollup", "PUNCTUAL-Run-Id"].every(isReservedHeader)).toBe(true);
    expect(["X-Nats-Id", "Content-Type", "Natsu"].some(isReservedHeader)).toBe(false);
  });
});
