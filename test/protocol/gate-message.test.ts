import { describe, expect, it } from "vitest";
import type { StoredMessage, WorkMessage } from "../../src/core/ports.js";
import type { QueueSettings } from "../../src/core/queue.js";
import { admitted, waitingJob } from "../../src/protocol/gate-message.js";
import { headers as h } from "../../src/protocol/headers.js";
import { checkJobId, namesOf } from "../../src/protocol/names.js";
import { parseGateSubject, parseJobSubject } from "../../src/protocol/subjects.js";

const names = namesOf("shop");
const body = new Uint8Array([1, 2]);
const RATE = { rate: { limit: 1, periodMs: 1_000, burst: 1 } };
const ORDER = { perKey: { order: true } };

function job(subject: string, headers: Record<string, string> = {}): WorkMessage {
  return { subject, msgId: "one/1", headers: { [h.runId]: "one", ...headers }, body };
}

const stored = ({ subject, msgId, headers }: WorkMessage, seq = 7): StoredMessage => ({
  seq,
  subject,
  headers: { [h.msgId]: msgId, ...headers },
  body,
  storedAt: 0,
});

describe("a job for WORK", () => {
  it("goes straight there in a queue without limits", () => {
    const message = job(names.job("mail", "one"), { [h.key]: "a" });
    expect(admitted(message, {}, names)).toBe(message);
  });

  it.each([
    ["a rate", RATE],
    ["limits of keys", ORDER],
  ] as [string, Pick<QueueSettings, "rate" | "perKey">][])(
    "goes to the gate in a queue with %s",
    (_, settings) => {
      const keyed = job(names.job("mail", "one"), { [h.key]: "a:1" });
      expect(admitted(keyed, settings, names)).toEqual({ ...keyed, subject: "shop.gate.mail.a:1.one" });
    },
  );

  it("without a key goes to the gate for a rate of the queue only", () => {
    const plain = job(names.job("mail", "one"));
    expect(admitted(plain, RATE, names)).toEqual({ ...plain, subject: "shop.gate.mail._.one" });
    expect(admitted(plain, ORDER, names)).toBe(plain);
  });

  it.each([
    ["", /^Punctual-Key: expected 1 to 128 characters/],
    ["a.b", /^Punctual-Key: expected .* got "a.b"/],
    ["a~1", /^Punctual-Key: expected .* got "a~1"/],
    ["_", /^Punctual-Key: /],
    ["*", /^Punctual-Key: /],
    ["k".repeat(129), /^Punctual-Key: /],
  ])("whose key can be none is refused: %j", (key, error) => {
    expect(() => admitted(job(names.job("mail", "one"), { [h.key]: key }), ORDER, names)).toThrow(error);
  });

  it.each(["high", "work", "low"] as const)("comes back to its lane: %s", (lane) => {
    const message = job(names.job("mail", "one", lane));
    const waiting = waitingJob(stored(admitted(message, RATE, names)), null, names);
    expect(waiting?.message).toEqual({ ...message, msgId: "one/g7" });
  });

  it("of a fire keeps all of its place", () => {
    const message = job(names.fire("mail", "nightly", "2"));
    const atGate = admitted(message, RATE, names);
    expect(parseGateSubject(atGate.subject)).toEqual({ queue: "mail", key: null, id: "nightly.2" });
    expect(waitingJob(stored(atGate), null, names)?.message.subject).toBe(message.subject);
  });
});

describe("a job at a gate", () => {
  const atGate = admitted(
    job(names.job("mail", "one", "high"), { [h.key]: "a", "X-Mine": "1" }),
    ORDER,
    names,
  );

  it("passes on a ticket of its key, with a message id made from its place", () => {
    expect(waitingJob(stored(atGate), 3, names)).toEqual({
      queue: "mail",
      runId: "one",
      startDeadline: null,
      message: {
        subject: "shop.work.mail.a~3",
        msgId: "one/g7",
        headers: { [h.runId]: "one", [h.key]: "a", "X-Mine": "1" },
        body,
      },
    });
  });

  it("has a ticket that no job without a key can have, and that the server tells RUNS of", () => {
    const subject = names.ticket("mail", "a", 3);
    expect(parseJobSubject(subject)).toEqual({ lane: "work", queue: "mail", key: "a~3" });
    expect(() => checkJobId("a~3")).toThrow();
    expect(subject.split(".")).toHaveLength(names.toldByServer.from.split(".").length);
  });

  it("has a deadline, if it says one that can be read", () => {
    const at = "2026-11-25T12:00:00.000Z";
    const late = (deadline: string) =>
      waitingJob(stored({ ...atGate, headers: { [h.startDeadline]: deadline } }), 1, names)?.startDeadline;
    expect(late(at)).toBe(Date.parse(at));
    expect(late("soon")).toBeNull();
  });

  it.each([undefined, "", "a.b", "x y"])("that says no run id gets the same one always: %j", (runId) => {
    const headers: Record<string, string> = runId === undefined ? {} : { [h.runId]: runId };
    const [first, again] = [1, 2].map((ticket) => waitingJob(stored({ ...atGate, headers }), ticket, names));
    expect(first?.runId).toBe("one:7");
    expect(again?.message.msgId).toBe("one:7/g7");
    expect(first?.message.headers).toEqual({ [h.runId]: "one:7", [h.key]: "a" });
  });

  it("may have been put there by hand, with or without a place for its key", () => {
    const [short, long] = ["shop.gate.mail.x", "shop.gate.mail._.x"].map((subject) =>
      waitingJob(stored({ ...atGate, subject, headers: {} }), null, names),
    );
    expect(short?.message.subject).toBe("shop.work.mail.x");
    expect(long?.message).toEqual(short?.message);
  });

  it("is none on another subject", () => {
    for (const subject of [names.job("mail", "one"), "shop.gate.mail", "shop.run.a.b.c"])
      expect(waitingJob(stored({ ...atGate, subject }), 1, names)).toBeNull();
  });
});
