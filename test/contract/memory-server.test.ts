/** What the memory server adds to the ports: faults, restarts, connections that end, clocks turned by hand. */
import { describe, expect, it } from "vitest";
import type { Delivery } from "../../src/core/ports.js";
import {
  type Faults,
  MachineClock,
  ManualClock,
  MemoryServer,
  openMemoryPorts,
  settled,
} from "../../src/testing/index.js";
import { job, lease, member, tombstone } from "./given.js";

function serverWith(faults: Faults = {}) {
  const clock = new ManualClock();
  const server = new MemoryServer({ clock });
  server.faults = faults;
  return { clock, server, names: server.names, ports: openMemoryPorts(server) };
}

describe("a faulty publish", () => {
  it("lost before: unknown, and never stored", async () => {
    const { server, names, ports } = serverWith({ publish: () => "lost before" });
    expect(await ports.work.publish(job(names, "a"))).toMatchObject({ kind: "unknown" });
    expect(server.work.size).toBe(0);
  });

  it("answer lost: unknown, and stored", async () => {
    const { server, names, ports } = serverWith({ publish: () => "answer lost" });
    expect(await ports.work.publish(job(names, "a"))).toMatchObject({ kind: "unknown" });
    expect(server.work.size).toBe(1);
  });

  it("late: unknown, and stored when it arrives, unless a tombstone was there before", async () => {
    const { server, names, ports } = serverWith({ publish: () => "late" });
    await ports.work.publish(job(names, "a"));
    await ports.work.publish(job(names, "b"));
    expect([server.work.size, server.lateRequests]).toEqual([0, 2]);
    server.faults = {};
    await ports.work.publish(tombstone(names, "a", 1));
    server.deliverLate();
    expect(server.work.last(job(names, "a").subject)).toBeNull();
    expect(server.work.last(job(names, "b").subject)).not.toBeNull();
  });
});

describe("other faults", () => {
  it("make a lease write unknown, whether it was stored or not", async () => {
    const { server, ports } = serverWith({
      leaseWrite: (shard) => (shard === 0 ? "lost before" : "answer lost"),
    });
    expect(await ports.leases.write(0, lease(), 0)).toMatchObject({ kind: "unknown" });
    expect(await ports.leases.write(1, lease(), 0)).toMatchObject({ kind: "unknown" });
    server.faults = {};
    expect(await ports.leases.read(0)).toBeNull();
    expect(await ports.leases.read(1)).not.toBeNull();
  });

  it("reject reads and events that nobody answers", async () => {
    const { ports } = serverWith({ read: (what) => what === "lease", runEvent: () => "answer lost" });
    await expect(ports.leases.read(0)).rejects.toMatchObject({ code: "unavailable" });
    const event = { runId: "a:1", type: "started", msgId: "1", data: {} };
    await expect(ports.runs.append(event)).rejects.toMatchObject({ code: "unavailable" });
    expect(await ports.runs.has("a:1", "started")).toBe(true);
  });

  it("lose what a worker says, so that the job comes again after the ack wait", async () => {
    const { clock, names, ports } = serverWith({ settlement: (what) => what === "ack" });
    await ports.queues.ensure("default");
    const attempts: number[] = [];
    const onDelivery = (delivery: Delivery) => {
      attempts.push(delivery.attempt);
      delivery.ack();
    };
    await ports.source.consume("default", { concurrency: 1, onDelivery });
    await ports.work.publish(job(names, "a"));
    await clock.pass(10_001);
    expect(attempts).toEqual([1, 2]);
  });

  it("delay requests and answers by the clock, and keep the order of one connection", async () => {
    let delay = 50;
    const { clock, names, ports } = serverWith({ delayMs: () => delay });
    const first = ports.work.publish(job(names, "a"));
    delay = 0;
    const second = ports.work.publish(job(names, "b"));
    await clock.pass(100);
    expect([await first, await second]).toMatchObject([{ seq: 1 }, { seq: 2 }]);
  });

  it("let a watch lag", async () => {
    const { clock, ports } = serverWith({ watchDelayMs: () => 1_000 });
    const terms: number[] = [];
    await ports.leases.watch(({ term }) => terms.push(term));
    await ports.leases.write(0, lease({ term: 5 }), 0);
    await clock.pass(999);
    expect(terms).toEqual([]);
    await clock.pass(1);
    expect(terms).toEqual([5]);
  });
});

describe("a server that restarts", () => {
  it("forgets the ids of messages that are gone, and no others", async () => {
    const { server, names, ports } = serverWith();
    await ports.work.publish(job(names, "gone"));
    await ports.work.publish(job(names, "there"));
    await ports.work.remove(1);
    server.forget();
    expect(await ports.work.publish(job(names, "gone"))).toMatchObject({ kind: "stored" });
    expect(await ports.work.publish(job(names, "there"))).toEqual({ kind: "duplicate", seq: 2 });
  });

  it("forgets every id after the window", async () => {
    const { clock, names, ports } = serverWith();
    await ports.work.publish(job(names, "a"));
    await ports.work.remove(1);
    clock.advance(119_999);
    expect(await ports.work.publish(job(names, "a"))).toEqual({ kind: "duplicate", seq: 1 });
    clock.advance(1);
    expect(await ports.work.publish(job(names, "a"))).toMatchObject({ kind: "stored" });
  });
});

describe("a job at its last attempt", () => {
  it("is told of once, as an advisory", async () => {
    const { server, names, ports } = serverWith();
    await ports.queues.ensure("default", { maxAttempts: 1 });
    const advisories: unknown[] = [];
    const onAdvisory = (delivery: Delivery) => {
      advisories.push(JSON.parse(Buffer.from(delivery.body).toString()));
      delivery.ack();
    };
    await ports.advisories.consume({ concurrency: 1, onDelivery: onAdvisory });
    await ports.source.consume("default", { concurrency: 1, onDelivery: (delivery) => delivery.nak(0) });
    await ports.work.publish(job(names, "a"));
    await settled();
    expect(advisories).toEqual([expect.objectContaining({ stream_seq: 1, deliveries: 1 })]);
    expect(server.work.size).toBe(1);
  });
});

describe("a connection", () => {
  it("that is cut answers nothing, and its member is gone", async () => {
    const { server, names, ports } = serverWith({ delayMs: () => 10 });
    const other = openMemoryPorts(server);
    ports.membership.answerProbes("a");
    const asked = ports.work.publish(job(names, "a"));
    ports.link.cut();
    expect(await asked).toMatchObject({ kind: "unknown" });
    server.faults = {};
    expect(await ports.work.publish(job(names, "b"))).toMatchObject({ kind: "unknown" });
    await expect(ports.leases.read(0)).rejects.toMatchObject({ code: "unavailable" });
    expect(await other.membership.probe("a")).toBe("gone");
    expect(server.work.size).toBe(0);
  });

  it("of a suspended program takes nothing in until it wakes", async () => {
    const { server, ports } = serverWith();
    const other = openMemoryPorts(server);
    ports.membership.answerProbes("a");
    const seen: string[] = [];
    await ports.membership.watch((key) => seen.push(key));
    ports.link.suspend();
    await other.membership.announce(member("b"));
    expect(await other.membership.probe("a")).toBe("unknown");
    expect(seen).toEqual([]);
    ports.link.resume();
    expect(seen).toEqual(["orchestrator.b"]);
    expect(await other.membership.probe("a")).toBe("alive");
  });
});

describe("manual clock", () => {
  it("rings in the order of time, those of one instant in the order in which they were set", () => {
    const clock = new ManualClock();
    const rung: string[] = [];
    const set = (name: string, delay: number) =>
      clock.after(delay, () => rung.push(`${name}@${clock.monotonic()}`));
    set("late", 20);
    set("one", 10);
    set("two", 10);
    set("cancelled", 5)();
    clock.after(15, () => set("nested", 5));
    clock.advance(9);
    expect(rung).toEqual([]);
    clock.advance(100);
    expect(rung).toEqual(["one@10", "two@10", "late@20", "nested@20"]);
    expect(clock.monotonic()).toBe(109);
  });

  it("jumps by the wall only", () => {
    const clock = new ManualClock(1_000);
    clock.advance(50);
    clock.setNow(5);
    clock.jump(-10);
    expect([clock.now(), clock.monotonic()]).toEqual([-5, 50]);
    clock.advance(5);
    expect([clock.now(), clock.monotonic()]).toEqual([0, 55]);
  });

  it("lets what a timer sets in motion go on before the next rings", async () => {
    const clock = new ManualClock();
    const at: number[] = [];
    const loop = async () => {
      for (let i = 0; i < 3; i++) {
        await new Promise<void>((resolve) => clock.after(10, resolve));
        at.push(clock.monotonic());
      }
    };
    void loop();
    await clock.pass(100);
    expect(at).toEqual([10, 20, 30]);
  });

  it("has machines with wall clocks of their own, which can be suspended", () => {
    const clock = new ManualClock(1_000);
    const machine = new MachineClock(clock, -200);
    const rung: number[] = [];
    machine.after(10, () => rung.push(machine.now()));
    machine.suspend();
    clock.jump(5_000);
    clock.advance(50);
    expect([rung, machine.now()]).toEqual([[], 850]);
    machine.resume();
    expect(rung).toEqual([850]);
  });
});
