import { expect, it, onTestFinished } from "vitest";
import type { Lane } from "../../src/core/lane.js";
import { until } from "../support/until.js";
import { job } from "./given.js";
import type { MakePorts, PortsUnderTest } from "./ports.js";
import { describePort } from "./suite.js";

async function publish({ one, names }: PortsUnderTest, lane: Lane, count: number): Promise<string[]> {
  const keys = Array.from({ length: count }, (_, number) => `${lane}-${number}`);
  for (const key of keys)
    await one.work.publish(job(names, key, { subject: names.job("default", key, lane) }));
  return keys;
}

/** Works everything off; answers with the order in which it came. */
async function worked({ one }: PortsUnderTest, count: number, concurrency = 1): Promise<string[]> {
  const order: string[] = [];
  const work = await one.source.consume("default", {
    concurrency,
    onDelivery: (delivery) => {
      order.push(delivery.subject.split(".").at(-1) as string);
      delivery.ack();
    },
  });
  await until(() => order.length === count);
  await work.stop();
  return order;
}

const of = (lane: Lane, order: string[]) => order.filter((key) => key.startsWith(lane));
const placesOf = (lane: Lane, order: string[]) =>
  order.flatMap((key, place) => (key.startsWith(lane) ? [place] : []));

export function describeLanes(name: string, make: MakePorts): void {
  describePort(`lanes over ${name}`, make, (on) => {
    it("deliver what is urgent before the rest, each in its order, and let none wait for ever", async () => {
      const ports = on();
      await ports.one.queues.ensure("default");
      const [work, high] = [await publish(ports, "work", 30), await publish(ports, "high", 100)];
      const order = await worked(ports, 130);
      expect(of("high", order)).toEqual(high);
      expect(of("work", order)).toEqual(work);
      const places = placesOf("work", order);
      expect(order[0]).toBe("high-0");
      expect(places[0]).toBeGreaterThanOrEqual(10);
      expect(places[0]).toBeLessThanOrEqual(20);
      // While there is anything urgent, one in seventeen is not.
      const last = order.lastIndexOf("high-99");
      expect(places.filter((place) => place < last).length).toBeLessThanOrEqual(8);
      expect(places.filter((place) => place < last).length).toBeGreaterThanOrEqual(4);
    });

    it("let the lowest have its turn below both others", async () => {
      const ports = on();
      await ports.one.queues.ensure("default");
      await publish(ports, "low", 1);
      await publish(ports, "work", 150);
      await publish(ports, "high", 150);
      const order = await worked(ports, 301);
      expect(placesOf("low", order)[0]).toBeLessThan(300);
      expect(of("work", order)).toHaveLength(150);
    });

    it.each([1, 2, 10])("give an idle worker with %i slots what is urgent", async (concurrency) => {
      const ports = on();
      await ports.one.queues.ensure("default");
      const done = worked(ports, 23, concurrency);
      await until(async () => (await ports.other.queueConsumers.counts("default"))[1]?.pulls === 1);
      await publish(ports, "high", 20);
      await publish(ports, "low", 3);
      expect(of("high", await done)).toHaveLength(20);
    });

    it("give all slots of an idle worker to what is urgent", async () => {
      const ports = on();
      await ports.one.queues.ensure("default");
      let running = 0;
      const work = await ports.one.source.consume("default", {
        concurrency: 40,
        onDelivery: () => {
          running++;
          return new Promise<void>(() => {});
        },
      });
      onTestFinished(() => work.stop());
      await until(async () => (await ports.other.queueConsumers.counts("default"))[1]?.pulls === 1);
      await publish(ports, "high", 45);
      await until(() => running === 40);
      await ports.other.queueConsumers.counts("default");
      expect(running).toBe(40);
    });

    it("never have more handed out than was asked for, all three together", async () => {
      const ports = on();
      await ports.one.queues.ensure("default");
      for (const lane of ["low", "work", "high"] as const) await publish(ports, lane, 30);
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
      await until(() => done === 90);
      await work.stop();
      expect(most).toBe(3);
    });
  });
}
