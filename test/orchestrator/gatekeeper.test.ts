import { afterEach, describe, expect, it } from "vitest";
import type { GateLimits } from "../../src/core/gate.js";
import { withdraw } from "../../src/orchestrator/withdrawal.js";
import { headers as h } from "../../src/protocol/headers.js";
import { excess } from "../core/rate-bound.js";
import { QUEUE, Yard } from "./yard.js";

const ORDER: GateLimits = { paused: false, perKey: { order: true } };

const yards: Yard[] = [];
afterEach(async () => {
  for (const yard of yards.splice(0)) await yard.close();
});

function open(): Yard {
  const yard = new Yard();
  yards.push(yard);
  return yard;
}

describe("a job at a gate", () => {
  it("passes with its headers, its key and its body, under a message id of its own", async () => {
    const yard = open();
    const seq = await yard.arrive("one", "a", { [h.key]: "a", "X-Mine": "1", [h.priority]: "high" });
    yard.keep(ORDER);
    await yard.clock.pass(10);
    expect(yard.subjects).toEqual([yard.names.ticket(QUEUE, "a", 1)]);
    const [message] = [...yard.server.work.messages()];
    expect(message?.headers).toEqual({
      [h.msgId]: `one/g${seq}`,
      [h.runId]: "one",
      [h.key]: "a",
      "X-Mine": "1",
    });
    expect(message?.body).toHaveLength(3);
  });

  it.each([
    ["high", "high"],
    ["low", "low"],
    [undefined, "work"],
  ] as const)("without a limit of keys goes to its lane: %s", async (priority, lane) => {
    const yard = open();
    await yard.arrive("one", null, priority === undefined ? {} : { [h.priority]: priority });
    yard.keep({ paused: false, rate: { limit: 10, periodMs: 1_000, burst: 1 } });
    await yard.clock.pass(200);
    expect(yard.subjects).toEqual([yard.names.job(QUEUE, "one", lane)]);
  });

  it("that comes while the keeper listens passes at once", async () => {
    const yard = open();
    yard.keep(ORDER);
    await yard.clock.pass(100);
    await yard.arrive("one", "a");
    await yard.clock.pass(1);
    expect(yard.subjects).toEqual([yard.names.ticket(QUEUE, "a", 1)]);
  });

  it("waits while the gate is not ours", async () => {
    const yard = open();
    const keeper = yard.keep(ORDER);
    keeper.isOurs = false;
    await yard.arrive("one", "a");
    await yard.clock.pass(5_000);
    expect(yard.subjects).toEqual([yard.names.gate(QUEUE, "a", "one")]);
  });

  it("that was taken away by then does not pass, and holds up nobody", async () => {
    const yard = open();
    const keeper = yard.keep({ ...ORDER, paused: true });
    const seq = await yard.arrive("one", "a");
    await yard.arrive("two", "a");
    await yard.clock.pass(10);
    await yard.ports.work.remove(seq);
    keeper.limit(ORDER);
    await yard.work();
    await yard.clock.pass(10);
    expect(yard.done).toEqual(["two"]);
  });

  it("that was cancelled by somebody who crashed then does not pass, and RUNS is told", async () => {
    const yard = open();
    const seq = await yard.arrive("one", "a");
    const subject = yard.names.gateTombstone("one", seq);
    const withdrawal = { subject, msgId: `one/g${seq}`, reason: "cancelled" } as const;
    expect(await withdraw(yard.ports.work, withdrawal)).toBe(true);
    await yard.arrive("two", "a");
    yard.keep(ORDER);
    await yard.clock.pass(100);
    expect(yard.subjects).toEqual([subject, yard.names.ticket(QUEUE, "a", 1)]);
    expect(yard.events).toEqual(["punctual.run.one.cancelled"]);
    expect(await withdraw(yard.ports.work, withdrawal)).toBe(true);
  });

  it("that has passed can not be withdrawn", async () => {
    const yard = open();
    const seq = await yard.arrive("one", "a");
    yard.keep(ORDER);
    await yard.clock.pass(100);
    const withdrawal = {
      subject: yard.names.gateTombstone("one", seq),
      msgId: `one/g${seq}`,
      reason: "cancelled",
    };
    expect(await withdraw(yard.ports.work, { ...withdrawal, reason: "cancelled" })).toBe(false);
  });

  it("whose id is running is skipped, and RUNS is told", async () => {
    const yard = open();
    const running = {
      subject: yard.names.job(QUEUE, "key"),
      msgId: "x/1",
      headers: {},
      body: new Uint8Array(),
    };
    await yard.ports.work.publish(running);
    await yard.arrive("key", null, { [h.runId]: "one" });
    yard.keep({ paused: false, rate: { limit: 1_000, periodMs: 1_000, burst: 1 } });
    await yard.clock.pass(100);
    expect(yard.subjects).toEqual([running.subject]);
    expect(yard.events).toEqual(["punctual.run.one.skipped"]);
  });

  it("that retries a dead letter is one again when its key is taken, as its letter is gone", async () => {
    const yard = open();
    const running = {
      ...{ subject: yard.names.job(QUEUE, "key"), msgId: "x/1", headers: { [h.runId]: "x" } },
      body: new Uint8Array(),
    };
    await yard.ports.work.publish(running);
    await yard.arrive("key", null, { [h.runId]: "one:retry-7", [h.retryOf]: "one" });
    yard.keep({ paused: false, rate: { limit: 1_000, periodMs: 1_000, burst: 1 } });
    await yard.clock.pass(100);
    expect(yard.subjects).toEqual([running.subject]);
    expect(yard.events).toEqual(["punctual.run.one:retry-7.dead"]);
    expect([...yard.server.dead.messages()].map(({ headers }) => headers[h.reason])).toEqual(["refused"]);
  });

  it("is told of when it waits for more than a moment, and only then", async () => {
    const yard = open();
    const keeper = yard.keep({ ...ORDER, paused: true });
    await yard.arrive("slow", "a");
    await yard.clock.pass(2_500);
    await yard.arrive("quick", "b");
    await yard.clock.pass(100);
    keeper.limit(ORDER);
    await yard.clock.pass(5_000);
    expect(yard.subjects).toHaveLength(2);
    expect(yard.events).toEqual(["punctual.run.slow.waiting"]);
    const told = yard.server.runs.last("punctual.run.slow.waiting");
    expect(JSON.parse(Buffer.from(told?.body ?? []).toString())).toEqual({
      reason: "limits",
      queue: QUEUE,
      key: "a",
      seq: 1,
      since: "2026-01-01T00:00:00.000Z",
    });
  });

  it("that may not start any more expires at the gate", async () => {
    const yard = open();
    await yard.arrive("one", "a", { [h.startDeadline]: new Date(yard.clock.now() + 500).toISOString() });
    const keeper = yard.keep({ ...ORDER, paused: true });
    await yard.clock.pass(501);
    keeper.limit(ORDER);
    await yard.clock.pass(10);
    expect(yard.subjects).toEqual([]);
    expect(yard.events).toContain("punctual.run.one.expired");
  });

  it("that the server refuses for good goes to the dead letters", async () => {
    const yard = open();
    await yard.arrive("one", "a");
    const keeper = yard.keep({ ...ORDER, paused: true });
    await yard.clock.pass(10);
    keeper.ports.work.publish = async () => ({ kind: "refused", reason: "not allowed" });
    keeper.limit(ORDER);
    await yard.clock.pass(10);
    expect(yard.subjects).toEqual([]);
    expect([...yard.server.dead.messages()][0]?.headers[h.error]).toBe("not allowed");
  });

  it("waits while WORK is full", async () => {
    const yard = open();
    await yard.arrive("one", "a");
    yard.server.work.maxMessages = 1;
    yard.keep(ORDER);
    await yard.clock.pass(2_000);
    expect(yard.subjects).toEqual([yard.names.gate(QUEUE, "a", "one")]);
    yard.server.work.maxMessages = 2;
    await yard.clock.pass(1_000);
    expect(yard.subjects).toEqual([yard.names.ticket(QUEUE, "a", 1)]);
  });
});

describe("what comes past a gate", () => {
  const rate = { limit: 10, periodMs: 1_000, burst: 2 };

  /** With jobs that wait, and when each message was stored in the queue. */
  async function crowded(limits: GateLimits) {
    const yard = open();
    const stored: number[] = [];
    yard.server.work.onStored(({ subject, storedAt }) => {
      if (!subject.includes(".gate.")) stored.push(storedAt);
    });
    for (let i = 0; i < 100; i++) await yard.arrive(`job-${i}`);
    const keeper = yard.keep(limits);
    const fire = (place: string, id = place) => {
      const subject = yard.names.fire(QUEUE, "nightly", place);
      const message = { subject, msgId: `${id}/1`, headers: {}, body: new Uint8Array() };
      return yard.ports.work.publish(message);
    };
    return { yard, keeper, stored, fire };
  }

  it("is made up for by the jobs that wait, and then they pass as before", async () => {
    const { yard, stored, fire } = await crowded({ paused: false, rate });
    await yard.clock.pass(1_000);
    expect(stored).toHaveLength(12);
    for (let i = 0; i < 15; i++) await fire(`${i}`);
    await yard.clock.pass(1_400);
    expect(stored).toHaveLength(27);
    await yard.clock.pass(1_100);
    expect(stored).toHaveLength(37);
    expect(excess(stored, rate)).toBeCloseTo(15, 5);
  });

  it("and is refused is not", async () => {
    const { yard, stored, fire } = await crowded({ paused: false, rate });
    await yard.clock.pass(1);
    for (let i = 0; i < 15; i++) await fire("1", `${i}`);
    await yard.clock.pass(1_000);
    expect(stored).toHaveLength(12);
  });

  it("is counted as soon as the queue has a rate, and no longer", async () => {
    const { yard, keeper, stored, fire } = await crowded(ORDER);
    await yard.clock.pass(100);
    expect(stored).toHaveLength(100);
    let listeners = 0;
    keeper.ports.gates.onBypass = () => {
      listeners++;
      return { stop: async () => void listeners-- };
    };
    keeper.limit({ paused: false, perKey: { rate, order: false } });
    expect(listeners).toBe(0);
    keeper.limit({ paused: false, rate });
    keeper.limit({ paused: true, rate });
    expect(listeners).toBe(1);
    keeper.limit(ORDER);
    expect(listeners).toBe(0);
    await fire("1");
  });
});

describe("a job passes once", () => {
  it.each(["lost before", "answer lost", "late"] as const)(
    "when its publish is not answered: %s",
    async (fault) => {
      const yard = open();
      await yard.work();
      let faults = 2;
      yard.server.faults = {
        publish: ({ subject }) => (subject.includes(".work.") && faults-- > 0 ? fault : undefined),
      };
      yard.keep(ORDER);
      for (const id of ["one", "two", "three"]) await yard.arrive(id, "a");
      await yard.clock.pass(10_000);
      yard.server.deliverLate();
      await yard.clock.pass(10_000);
      expect(yard.done).toEqual(["one", "two", "three"]);
      expect(yard.subjects).toEqual([]);
    },
  );

  it("when its answer is lost, it is done at once, and the server forgets the id", async () => {
    const yard = open();
    await yard.work();
    let faults = 1;
    yard.server.faults = {
      publish: ({ subject }) => (subject.includes(".work.") && faults-- > 0 ? "answer lost" : undefined),
    };
    yard.keep(ORDER);
    await yard.clock.pass(10);
    await yard.arrive("one", "a");
    await yard.clock.pass(100);
    yard.server.forget();
    await yard.clock.pass(10_000);
    expect(yard.done).toEqual(["one"]);
    expect(yard.subjects).toEqual([]);
  });

  it.each([ORDER, { paused: false, perKey: { concurrency: 3, order: false } }, { paused: false }])(
    "when its keeper died before it could take it from the gate, and the server has forgotten: %j",
    async (limits: GateLimits) => {
      const yard = open();
      await yard.work();
      yard.server.faults = { read: (what) => what === "remove" };
      const first = yard.keep(limits);
      await yard.arrive("one", "a");
      await yard.clock.pass(10);
      expect(yard.done).toEqual(["one"]);
      expect(yard.subjects).toEqual([yard.names.gate(QUEUE, "a", "one")]);
      first.isOurs = false;
      first.ports.link.cut();
      yard.server.faults = {};
      yard.server.forget();
      yard.keep(limits);
      await yard.arrive("two", "a");
      await yard.clock.pass(10_000);
      expect(yard.done).toEqual(["one", "two"]);
      expect(yard.subjects).toEqual([]);
    },
  );

  it.each([ORDER, { paused: false, perKey: { concurrency: 2, order: false } }, { paused: false }])(
    "when the server was killed and has forgotten that it and others after it have left the gate: %j",
    async (limits: GateLimits) => {
      const yard = open();
      await yard.work();
      const first = yard.keep(limits);
      const ids = ["one", "two", "three", "four", "five"];
      for (const id of ids) await yard.arrive(id, "a");
      await yard.clock.pass(1_000);
      expect(yard.done).toEqual(ids);
      first.isOurs = false;
      first.ports.link.cut();
      yard.server.work.forgetRemovals((subject) => subject.includes(".gate."));
      yard.server.forget();
      expect(yard.subjects).toHaveLength(5);
      yard.keep(limits);
      await yard.arrive("last", "a");
      await yard.clock.pass(10_000);
      expect(yard.done).toEqual([...ids, "last"]);
      expect(yard.subjects).toEqual([]);
    },
  );

  it("but not one that was cancelled long ago, when the server was killed and has it at the gate again", async () => {
    const yard = open();
    const seq = await yard.arrive("one", "a");
    const subject = yard.names.gateTombstone("one", seq);
    await withdraw(yard.ports.work, { subject, msgId: `one/g${seq}`, reason: "cancelled" });
    await yard.ports.work.remove(seq);
    yard.server.work.forgetRemovals();
    await yard.clock.pass(300_000); // the server has forgotten the id
    yard.keep(ORDER);
    await yard.clock.pass(1_000);
    expect(yard.subjects).toEqual([subject]);
    expect(yard.events).toEqual(["punctual.run.one.cancelled"]);
  });

  it("when it had another ticket then", async () => {
    const yard = open();
    const limits = { paused: false, perKey: { concurrency: 2, order: false } };
    yard.server.faults = { read: (what) => what === "remove" };
    const first = yard.keep(limits);
    const one = await yard.arrive("one", "a");
    await yard.arrive("two", "a");
    await yard.clock.pass(10);
    const tickets = [1, 2].map((ticket) => yard.names.ticket(QUEUE, "a", ticket));
    first.isOurs = false;
    first.ports.link.cut();
    yard.server.work.remove(one);
    for (const ticket of tickets) yard.server.work.remove(yard.server.work.last(ticket)?.seq ?? 0);
    await yard.clock.pass(130_000); // the server has forgotten
    yard.server.faults = {};
    yard.keep(limits);
    await yard.clock.pass(1_000);
    expect(yard.subjects).toEqual([]);
  });

  it("with two keepers that both believe the gate is theirs, in order", async () => {
    const yard = open();
    await yard.work();
    yard.keep(ORDER);
    yard.keep(ORDER);
    const ids = Array.from({ length: 50 }, (_, i) => `job-${i}`);
    for (const id of ids) await yard.arrive(id, "a");
    await yard.clock.pass(60_000);
    expect(yard.done).toEqual(ids);
    expect(yard.subjects).toEqual([]);
  });
});

describe("a ticket", () => {
  it("that is free again is noticed without a hint", async () => {
    const yard = open();
    yard.server.work.onRemoved = () => () => {};
    yard.keep(ORDER);
    await yard.arrive("one", "a");
    await yard.arrive("two", "a");
    await yard.clock.pass(100);
    const ticket = yard.names.ticket(QUEUE, "a", 1);
    const first = yard.server.work.last(ticket);
    expect(yard.subjects).toEqual([yard.names.gate(QUEUE, "a", "two"), ticket]);
    yard.server.work.remove(first?.seq ?? 0);
    await yard.clock.pass(3_000);
    expect(yard.server.work.last(ticket)?.headers[h.runId]).toBe("two");
  });

  it("that somebody else has is waited for", async () => {
    const yard = open();
    const ticket = yard.names.ticket(QUEUE, "a", 1);
    await yard.ports.work.publish({ subject: ticket, msgId: "x/1", headers: {}, body: new Uint8Array() });
    await yard.arrive("one", "a");
    await yard.arrive("other", "b");
    yard.keep(ORDER);
    await yard.clock.pass(10_000);
    expect(yard.subjects).toEqual([
      ticket,
      yard.names.gate(QUEUE, "a", "one"),
      yard.names.ticket(QUEUE, "b", 1),
    ]);
    await yard.ports.work.remove(1);
    await yard.clock.pass(10);
    expect(yard.server.work.last(ticket)?.headers[h.runId]).toBe("one");
  });
});
