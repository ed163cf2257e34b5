import { expect, it, onTestFinished } from "vitest";
import type { Lane } from "../../src/core/lane.js";
import type { Delivery } from "../../src/core/ports.js";
import { type LaneCounts, settingsOf } from "../../src/core/queue.js";
import { Arrivals, until } from "../support/until.js";
import { job } from "./given.js";
import type { MakePorts, PortsUnderTest } from "./ports.js";
import { describePort } from "./suite.js";

const publish = async ({ one, names }: PortsUnderTest, lane: Lane, ...keys: string[]): Promise<void> => {
  for (const key of keys)
    expect(
      await one.work.publish(job(names, key, { subject: names.job("default", key, lane) })),
    ).toMatchObject({ kind: "stored" });
};

async function pull({ one }: PortsUnderTest, concurrency = 10) {
  const deliveries = new Arrivals<Delivery>();
  const onDelivery = (delivery: Delivery) => {
    deliveries.add(delivery);
    return new Promise<void>(() => {});
  };
  const work = await one.source.consume("default", { concurrency, onDelivery });
  onTestFinished(() => work.stop());
  return deliveries;
}

const lanesOf = (counts: LaneCounts[]) => counts.map(({ lane }) => lane);

export function describeQueueConsumers(name: string, make: MakePorts): void {
  describePort(`consumers of queues over ${name}`, make, (on) => {
    it("are there once the queue is, one for each lane", async () => {
      const { one, other } = on();
      expect(await one.queueConsumers.counts("default")).toEqual([]);
      expect(await one.queueConsumers.all()).toEqual(new Map());
      await one.queues.ensure("default");
      expect(lanesOf(await other.queueConsumers.counts("default"))).toEqual(["high", "work", "low"]);
      await one.queues.ensure("mail-out");
      const all = await other.queueConsumers.all();
      expect([...all.keys()].sort()).toEqual(["default", "mail-out"]);
      expect(lanesOf(all.get("mail-out") ?? []).sort()).toEqual(["high", "low", "work"]);
    });

    it("know how far a lane has handed out its jobs", async () => {
      const ports = on();
      const { one, other } = ports;
      expect(await one.queueConsumers.handedOut("default", "work")).toBe(0);
      await one.queues.ensure("default");
      await publish(ports, "work", "a", "b");
      await publish(ports, "high", "h");
      expect(await other.queueConsumers.handedOut("default", "work")).toBe(0);
      const deliveries = await pull(ports, 3);
      await until(() => deliveries.all.length === 3);
      const seqOf = (key: string) => deliveries.all.find(({ subject }) => subject.endsWith(key))?.seq ?? 0;
      expect(await other.queueConsumers.handedOut("default", "work")).toBeGreaterThanOrEqual(seqOf(".b"));
      expect(await other.queueConsumers.handedOut("default", "high")).toBeGreaterThanOrEqual(seqOf(".h"));
      const later = await one.work.publish(job(ports.names, "c"));
      if (later.kind !== "stored") throw new Error(later.kind);
      expect(await other.queueConsumers.handedOut("default", "work")).toBeLessThan(later.seq);
    });

    it("count what is queued and what is handed out, lane by lane", async () => {
      const ports = on();
      const { one, other } = ports;
      await one.queues.ensure("default");
      await publish(ports, "work", "a", "b", "c");
      await publish(ports, "high", "h");
      expect(await other.queueConsumers.counts("default")).toMatchObject([
        { lane: "high", queued: 1, running: 0, redelivered: 0, paused: false },
        { lane: "work", queued: 3, running: 0, redelivered: 0, paused: false },
        { lane: "low", queued: 0, running: 0, redelivered: 0, paused: false },
      ]);
      const deliveries = await pull(ports);
      await until(() => deliveries.all.length === 4);
      deliveries.all.find(({ subject }) => subject.endsWith(".a"))?.ack();
      await until(async () => (await other.queueConsumers.counts("default"))[1]?.running === 2);
      expect(await other.queueConsumers.counts("default")).toMatchObject([
        { queued: 0, running: 1 },
        { queued: 0, running: 2 },
        { queued: 0, running: 0 },
      ]);
    });

    it("follow settings that have changed, for workers that pull already", async () => {
      const ports = on();
      const { one, other } = ports;
      await one.queues.ensure("default", { concurrency: 1 });
      const deliveries = await pull(ports);
      await publish(ports, "work", "a", "b", "c");
      await until(() => deliveries.all.length === 1);
      await other.queueConsumers.apply("default", settingsOf({ concurrency: 3 }), ports.clock.now());
      await until(() => deliveries.all.length === 3);
    });

    it("that are not there stay so when settings change", async () => {
      const { one, clock } = on();
      await one.queueConsumers.apply("default", settingsOf({}), clock.now());
      expect(await one.queueConsumers.counts("default")).toEqual([]);
    });

    it("know of jobs wherever in the queue they are", async () => {
      const ports = on();
      const { one } = ports;
      await one.queues.ensure("default");
      await one.queues.ensure("default-2");
      expect(await one.queueConsumers.hasJobs("default")).toBe(false);
      expect(await one.queueConsumers.oldestJob("default")).toBeNull();
      await publish(ports, "low", "a");
      expect(await one.queueConsumers.hasJobs("default")).toBe(true);
      expect(await one.queueConsumers.hasJobs("default-2")).toBe(false);
      const oldest = (await one.work.lastOn(ports.names.job("default", "a", "low")))?.storedAt;
      await publish(ports, "work", "b");
      expect(await one.queueConsumers.oldestJob("default")).toBe(oldest);
    });

    it("can be removed, and are made anew for what is there", async () => {
      const ports = on();
      const { one, other } = ports;
      await one.queues.ensure("default");
      await one.queueConsumers.remove("default");
      expect(await other.queueConsumers.counts("default")).toEqual([]);
      await one.queueConsumers.remove("default");
      await publish(ports, "high", "a");
      await one.queues.ensure("default");
      expect(await other.queueConsumers.counts("default")).toMatchObject([
        { queued: 1 },
        { queued: 0 },
        { queued: 0 },
      ]);
    });
  });
}
