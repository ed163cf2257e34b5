import { expect, it, onTestFinished } from "vitest";
import type { Delivery } from "../../src/core/ports.js";
import type { QueueSettings } from "../../src/core/queue.js";
import { headers as h } from "../../src/protocol/headers.js";
import { Arrivals, until } from "../support/until.js";
import { job } from "./given.js";
import type { MakePorts, Ports, PortsUnderTest } from "./ports.js";
import { describePort } from "./suite.js";

/** Pulls the queue `default` until the test is over; a delivery is done with when it is settled. */
async function pull(ports: Ports, concurrency = 10): Promise<Arrivals<Delivery>> {
  const deliveries = new Arrivals<Delivery>();
  const subscription = await ports.source.consume("default", {
    concurrency,
    onDelivery: (delivery) => new Promise<void>((done) => deliveries.add(settling(delivery, done))),
  });
  onTestFinished(() => subscription.stop());
  return deliveries;
}

function settling(delivery: Delivery, done: () => void): Delivery {
  const then = <A extends unknown[]>(settle: (this: Delivery, ...args: A) => void) => {
    return (...args: A) => {
      settle.apply(delivery, args);
      done();
    };
  };
  const { ack, nak, term } = delivery;
  const working = () => delivery.working();
  return { ...delivery, ack: then(ack), nak: then(nak), term: then(term), working };
}

async function publish({ names, one }: PortsUnderTest, ...keys: string[]): Promise<void> {
  for (const key of keys) await one.work.publish(job(names, key));
}

async function publishLow({ names, one }: PortsUnderTest, ...keys: string[]): Promise<void> {
  for (const key of keys)
    await one.work.publish(job(names, key, { subject: names.job("default", key, "low") }));
}

const isGone = (ports: Ports, seq: number) => until(async () => (await ports.work.at(seq)) === null);
const runOf = (delivery: Delivery) => delivery.headers[h.runId] ?? "";

export function describeWorkSource(name: string, make: MakePorts): void {
  const ensure = (ports: PortsUnderTest, settings?: Partial<QueueSettings>) =>
    ports.one.queues.ensure("default", settings);

  describePort(`work source over ${name}: delivering`, make, (on) => {
    it("delivers what is there and what comes, once each, as it was published", async () => {
      const ports = on();
      await ensure(ports);
      await publish(ports, "a");
      const deliveries = await pull(ports.other);
      const first = await deliveries.next();
      expect(first).toMatchObject({ subject: job(ports.names, "a").subject, seq: 1, attempt: 1 });
      expect(first.headers).toMatchObject({ [h.runId]: "a" });
      expect(Buffer.from(first.body).toString()).toBe('"a"');
      expect(Math.abs(first.storedAt - ports.clock.now())).toBeLessThan(60_000);
      await publish(ports, "b", "c");
      expect(runOf(await deliveries.next())).toBe("b");
      expect(runOf(await deliveries.next())).toBe("c");
    });

    it("delivers each to one of several pullers", async () => {
      const ports = on();
      await ensure(ports);
      const pullers = [await pull(ports.one), await pull(ports.other), await pull(ports.other)];
      const keys = Array.from({ length: 60 }, (_, i) => `k${i}`);
      const all = () => pullers.flatMap((deliveries) => deliveries.all);
      await publish(ports, ...keys);
      const acked = new Set<Delivery>();
      await until(() => {
        for (const delivery of all()) {
          if (!acked.has(delivery)) delivery.ack();
          acked.add(delivery);
        }
        return all().length >= keys.length;
      });
      expect(all().map(runOf).sort()).toEqual([...keys].sort());
    });

    it("delivers only what is of its queue", async () => {
      const ports = on();
      const { names, one } = ports;
      await ensure(ports);
      await one.queues.ensure("default-2");
      const deliveries = await pull(one);
      await one.work.publish(job(names, "x", { subject: names.job("default-2", "x") }));
      await publish(ports, "a");
      expect(runOf(await deliveries.next())).toBe("a");
      expect(deliveries.all).toHaveLength(1);
    });

    it("hands out no more than its concurrency at once", async () => {
      const ports = on();
      await ensure(ports);
      await publish(ports, "a", "b", "c", "d", "e");
      const narrow = await pull(ports.one, 2);
      const [first] = [await narrow.next(), await narrow.next()];
      const wide = await pull(ports.other, 10);
      const others = [await wide.next(), await wide.next(), await wide.next()];
      expect(narrow.all).toHaveLength(2);
      for (const delivery of others) delivery.ack();
      await publish(ports, "f");
      first.ack();
      await until(() => narrow.all.length + wide.all.length === 6);
    });

    it("keeps the queue's concurrency over all pullers", async () => {
      const ports = on();
      await ensure(ports, { concurrency: 2 });
      await publish(ports, "a", "b", "c");
      const one = await pull(ports.one);
      const other = await pull(ports.other);
      const all = () => [...one.all, ...other.all];
      await until(() => all().length === 2);
      await ports.one.queues.get("default");
      expect(all()).toHaveLength(2);
      all()[0]?.ack();
      await until(() => all().length === 3);
    });

    it("delivers what lies in the low lane when there is nothing else", async () => {
      const ports = on();
      await ensure(ports);
      const deliveries = await pull(ports.one);
      await publishLow(ports, "low-1");
      expect(runOf(await deliveries.next())).toBe("low-1");
      await publish(ports, "a");
      expect(runOf(await deliveries.next())).toBe("a");
      for (const delivery of deliveries.all) delivery.ack();
      await isGone(ports.other, deliveries.all[0]?.seq ?? 0);
    });

    it("delivers all other jobs before those of the low lane, but lets none wait for ever", async () => {
      const ports = on();
      await ensure(ports);
      const names = Array.from({ length: 60 }, (_, n) => `a-${n}`);
      await publishLow(ports, "low-1", "low-2", "low-3");
      await publish(ports, ...names);
      const order: string[] = [];
      const work = await ports.one.source.consume("default", {
        concurrency: 1,
        onDelivery: (delivery) => {
          order.push(runOf(delivery));
          delivery.ack();
        },
      });
      await until(() => order.length === 63);
      await work.stop();
      expect(order.filter((run) => run.startsWith("a"))).toEqual(names);
      const places = order.flatMap((run, place) => (run.startsWith("low") ? [place] : []));
      expect(places[0]).toBeGreaterThanOrEqual(10);
      expect(places[0]).toBeLessThanOrEqual(20);
      expect(order.at(-1)).toMatch(/^a-/);
    });

    it("never hands out more than asked for, over both lanes", async () => {
      const ports = on();
      await ensure(ports);
      await publishLow(ports, ...Array.from({ length: 30 }, (_, n) => `low-${n}`));
      await publish(ports, ...Array.from({ length: 30 }, (_, n) => `a-${n}`));
      let [running, most, done] = [0, 0, 0];
      const work = await ports.one.source.consume("default", {
        concurrency: 3,
        onDelivery: async (delivery) => {
          most = Math.max(most, ++running);
          await ports.other.runs.lastSequence();
          running--;
          done++;
          delivery.ack();
        },
      });
      await until(() => done === 60);
      await work.stop();
      expect(most).toBe(3);
    });

    it("stops", async () => {
      const ports = on();
      await ensure(ports);
      const stopped = new Arrivals<Delivery>();
      const onDelivery = (delivery: Delivery) => stopped.add(delivery);
      const subscription = await ports.one.source.consume("default", { concurrency: 1, onDelivery });
      await publish(ports, "a");
      (await stopped.next()).ack();
      await subscription.stop();
      const deliveries = await pull(ports.other);
      await publish(ports, "b", "c");
      expect([runOf(await deliveries.next()), runOf(await deliveries.next())]).toEqual(["b", "c"]);
      expect(stopped.all).toHaveLength(1);
    });
  });

  describeSettling(name, make, ensure);
}

function describeSettling(
  name: string,
  make: MakePorts,
  ensure: (ports: PortsUnderTest, settings?: Partial<QueueSettings>) => Promise<unknown>,
): void {
  describePort(`work source over ${name}: settling`, make, (on) => {
    it("removes what is acknowledged, and frees its subject", async () => {
      const ports = on();
      await ensure(ports);
      const deliveries = await pull(ports.one);
      await publish(ports, "a");
      const delivery = await deliveries.next();
      expect(await ports.other.work.at(delivery.seq)).not.toBeNull();
      delivery.ack();
      await isGone(ports.other, delivery.seq);
      const again = await ports.one.work.publish(job(ports.names, "a", { msgId: "a/2" }));
      expect(again.kind).toBe("stored");
      expect((await deliveries.next()).attempt).toBe(1);
    });

    it("takes a repeated acknowledgement without complaint", async () => {
      const ports = on();
      await ensure(ports);
      const deliveries = await pull(ports.one);
      await publish(ports, "a");
      const delivery = await deliveries.next();
      delivery.ack();
      delivery.ack();
      await isGone(ports.other, delivery.seq);
      delivery.nak(0);
      await publish(ports, "b");
      expect(runOf(await deliveries.next())).toBe("b");
    });

    it("delivers what is put back again, after the delay, as the next attempt", async () => {
      const ports = on();
      await ensure(ports);
      const deliveries = await pull(ports.one);
      await publish(ports, "a");
      const first = await deliveries.next();
      const at = ports.clock.monotonic();
      first.nak(250);
      await ports.pass(249);
      expect(deliveries.all).toHaveLength(1);
      await ports.pass(1);
      const second = await deliveries.next();
      expect(second).toMatchObject({ seq: first.seq, attempt: 2, storedAt: first.storedAt });
      expect(ports.clock.monotonic() - at).toBeGreaterThanOrEqual(245);
      second.nak(0);
      const third = await deliveries.next();
      expect(third.attempt).toBe(3);
      third.ack();
      await isGone(ports.other, first.seq);
    });

    it("delivers again what a worker was silent about for the ack wait", async () => {
      const ports = on();
      await ensure(ports, { ackWaitMs: 300 });
      const deliveries = await pull(ports.one);
      await publish(ports, "a");
      await deliveries.next();
      await ports.pass(301);
      const second = await deliveries.next();
      expect(second.attempt).toBe(2);
      second.ack();
    });

    it("waits anew for one that is still at work", async () => {
      const ports = on();
      await ensure(ports, { ackWaitMs: 1_000 });
      const deliveries = await pull(ports.one);
      await publish(ports, "a");
      const first = await deliveries.next();
      const at = ports.clock.monotonic();
      await ports.pass(800);
      await until(() => ports.clock.monotonic() - at >= 800);
      first.working();
      await ports.pass(999);
      await until(() => ports.clock.monotonic() - at >= 1_300);
      expect(deliveries.all).toHaveLength(1);
      await ports.pass(2);
      expect((await deliveries.next()).attempt).toBe(2);
    });

    it("removes what is ended for good, whatever attempts are left", async () => {
      const ports = on();
      await ensure(ports);
      const deliveries = await pull(ports.one);
      await publish(ports, "a");
      const delivery = await deliveries.next();
      delivery.term("not wanted");
      await isGone(ports.other, delivery.seq);
    });

    it("delivers no more often than the queue allows; the message stays", async () => {
      const ports = on();
      await ensure(ports, { maxAttempts: 2 });
      const deliveries = await pull(ports.one);
      await publish(ports, "a");
      (await deliveries.next()).nak(0);
      const last = await deliveries.next();
      expect(last.attempt).toBe(2);
      last.nak(0);
      await publish(ports, "b");
      expect(runOf(await deliveries.next())).toBe("b");
      expect(deliveries.all).toHaveLength(3);
      expect(await ports.one.work.at(last.seq)).not.toBeNull();
    });
  });
}
