import { describe, expect, test } from "vitest";
import type { DeadLetter } from "../../src/core/ports.js";
import {
  letterHeaders,
  readLetter,
  retryMessage,
  retryRunId,
  toldSubjects,
} from "../../src/protocol/dead-letter.js";
import { headers as h } from "../../src/protocol/headers.js";
import { isRunId, namesOf } from "../../src/protocol/names.js";

const names = namesOf("test");
const AT = Date.UTC(2026, 0, 1);

function stored(change: Partial<DeadLetter> = {}, id = 4) {
  const letter: DeadLetter = {
    queue: "mail",
    subject: names.job("mail", "a"),
    seq: 7,
    headers: { [h.runId]: "a:1", [h.msgId]: "a:1/1", [h.maxAttempts]: "3", "X-Trace": "t" },
    body: new Uint8Array(),
    reason: "the last attempt failed",
    attempts: 3,
    error: "no route",
    ...change,
  };
  return readLetter({
    seq: id,
    subject: names.deadLetter(letter.queue),
    headers: letterHeaders(letter),
    storedAt: AT,
    bodyBytes: letter.body.length,
  });
}

test("a letter says what died, where it lay, why and how often it was tried", () => {
  expect(stored()).toMatchObject({
    ...{ id: 4, queue: "mail", runId: "a:1", scheduleId: null, attempts: 3, error: "no route", stack: null },
    ...{ reason: "the last attempt failed", subject: "test.work.mail.a", seq: 7, diedAt: AT },
  });
});

test("a letter that says little can be read all the same", () => {
  const head = { seq: 4, subject: "test.dead.mail", headers: {}, storedAt: AT, bodyBytes: 3 };
  expect(readLetter(head)).toMatchObject({
    queue: "mail",
    runId: "job:4",
    seq: null,
    attempts: 0,
    error: null,
  });
});

test("a job that was refused at the front door keeps the id its producer gave it", () => {
  const headers = { [h.msgId]: "order-17", [h.maxAttempts]: "many" };
  const letter = stored({ subject: names.enqueue("mail"), headers });
  expect(letter.runId).toBe("order-17");
  expect(retryRunId(letter, names)).toBe("order-17:retry-in7");
});

describe("a retry", () => {
  test("is the job as it was, under a run id of its own", () => {
    const body = new TextEncoder().encode("{}");
    const headers = { ...stored().headers, [h.startDeadline]: "2026-01-01T00:00:00Z" };
    expect(retryMessage({ ...stored(), headers }, body, names)).toEqual({
      subject: "test.work.mail.a",
      msgId: `a:1:retry-7/${AT.toString(36)}`,
      headers: { [h.runId]: "a:1:retry-7", [h.retryOf]: "a:1", [h.maxAttempts]: "3", "X-Trace": "t" },
      body,
    });
  });

  test("has one run id, should the same message lie in two letters", () => {
    expect(retryRunId(stored({}, 4), names)).toBe(retryRunId(stored({}, 9), names));
  });

  test("of a retry takes the place of its suffix", () => {
    const letter = stored({ seq: 12, headers: { [h.runId]: "a:1:retry-7" } });
    expect(retryRunId(letter, names)).toBe("a:1:retry-12");
  });

  test("has a run id however long the one before was", () => {
    const runId = `a${"b".repeat(159)}`;
    const retry = retryRunId(stored({ headers: { [h.runId]: runId } }), names);
    expect(retry).toHaveLength(160);
    expect(retry).toMatch(/b:retry-7$/);
    expect(isRunId(retry)).toBe(true);
  });

  test.each([
    ["its own, not the ticket of the run that died", "test.work.mail.k~1", "test.work.mail.a:1:retry-7"],
    ["its own, where the server told nothing of it", "test.low.mail.x.untold", "test.low.mail.a:1:retry-7"],
    ["its key, of one that was stored once more", "test.low.mail.x.again-7", "test.low.mail.x"],
    ["its own, of one likewise", "test.work.mail.x.untold.again-7", "test.work.mail.a:1:retry-7"],
    ["that in its queue, of one refused at the gate", "test.gate.mail.k.order-17", "test.high.mail.order-17"],
  ])("has a subject: %s", (_, subject, to) => {
    const letter = stored({ subject, headers: { ...stored().headers, [h.priority]: "high" } });
    expect(retryMessage(letter, new Uint8Array(), names).subject).toBe(to);
    expect(toldSubjects(letter, names)).toEqual([to]);
  });

  test("of a schedule's run keeps its subject", () => {
    const fired = { subject: "test.work.mail.nightly.1", headers: { [h.scheduleId]: "nightly" } };
    expect(retryMessage(stored(fired), new Uint8Array(), names).subject).toBe("test.work.mail.nightly.1");
  });

  test("may be told of under any ticket of its key", () => {
    const keyed = stored({ headers: { ...stored().headers, [h.key]: "k" } });
    const tickets = ["test.work.mail.k~1", "test.work.mail.k~2"];
    expect(toldSubjects(keyed, names, 2)).toEqual(["test.work.mail.a", ...tickets]);
    expect(toldSubjects(stored(), names, 2)).toEqual(["test.work.mail.a"]);
  });

  test("may be told of under the subject of its job", () => {
    expect(toldSubjects(stored(), names)).toEqual(["test.work.mail.a"]);
    const unique = stored({ subject: names.enqueue("mail"), headers: { [h.unique]: "key" } });
    expect(toldSubjects(unique, names)).toContain("test.work.mail.key");
  });
});
