import { expect, it } from "vitest";
import { lanes } from "../../src/core/lane.js";
import { until } from "../support/until.js";
import { job } from "./given.js";
import type { MakePorts } from "./ports.js";
import { describePort } from "./suite.js";

export function describeServerFigures(name: string, make: MakePorts): void {
  describePort(`figures of the server over ${name}`, make, (on) => {
    const laneOf = async (queue: string, lane: string) =>
      (await on().other.figures.queues()).find((one) => one.queue === queue && one.lane === lane);

    it("knows no queue and no dead letter at first", async () => {
      expect(await on().one.figures.queues()).toEqual([]);
      expect(await on().one.figures.deadLetters()).toEqual(new Map());
    });

    it("tells of each lane of a queue what waits there, and no age where nothing does", async () => {
      const { one, names } = on();
      await one.queues.ensure("default");
      for (const key of ["a", "b"]) await one.work.publish(job(names, key));
      await one.work.publish(job(names, "c", { subject: names.job("default", "c", "high") }));
      const found = await on().other.figures.queues();
      expect(found.map(({ lane }) => lane).sort()).toEqual([...lanes].sort());
      expect(await laneOf("default", "work")).toMatchObject({ waiting: 2, inFlight: 0 });
      expect(await laneOf("default", "high")).toMatchObject({ waiting: 1, inFlight: 0 });
      expect(await laneOf("default", "low")).toEqual({
        ...{ queue: "default", lane: "low", waiting: 0, inFlight: 0, oldestAgeMs: null },
      });
      expect((await laneOf("default", "work"))?.oldestAgeMs).toBeGreaterThanOrEqual(0);
    });

    it("tells what workers have apart from what waits, and nothing of what is done", async () => {
      const { one, other, names } = on();
      const hands: (() => void)[] = [];
      await one.queues.ensure("default");
      for (const key of ["a", "b"]) await one.work.publish(job(names, key));
      const pull = await other.source.consume("default", {
        concurrency: 1,
        onDelivery: (delivery) =>
          new Promise((resolve) =>
            hands.push(() => {
              delivery.ack();
              resolve();
            }),
          ),
      });
      const isSo = async (waiting: number, inFlight: number) => {
        const found = await laneOf("default", "work");
        return found?.waiting === waiting && found.inFlight === inFlight;
      };
      await until(() => isSo(1, 1));
      for (const count of [1, 2]) {
        await until(() => hands.length === count);
        hands[count - 1]?.();
      }
      await until(() => isSo(0, 0));
      expect(await laneOf("default", "work")).toMatchObject({ oldestAgeMs: null });
      await pull.stop();
    });

    it("counts dead letters by queue", async () => {
      const { one, other, names } = on();
      const letter = { headers: {}, body: new Uint8Array(), reason: "r", attempts: 1 };
      for (const [seq, queue] of ["mail", "mail", "other"].entries())
        await one.dead.bury({ ...letter, queue, subject: names.job(queue, `j${seq}`), seq: seq + 1 });
      await other.letters.remove(1);
      expect(await other.figures.deadLetters()).toEqual(
        new Map([
          ["mail", 1],
          ["other", 1],
        ]),
      );
    });

    it("tells how far the clocks are apart", async () => {
      expect(await on().one.figures.clockOffset()).toSatisfy(Number.isFinite);
    });

    it("tells so whoever else asks at the same moment", async () => {
      const { one, other } = on();
      const asked = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? one : other).figures.clockOffset());
      for (const offset of await Promise.all(asked)) expect(offset).toSatisfy(Number.isFinite);
    });
  });
}
