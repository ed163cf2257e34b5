import { expect, it } from "vitest";
import type { MakePorts } from "./ports.js";
import { describePort } from "./suite.js";

const settings = { ackWaitMs: 2_000, maxAttempts: 3, concurrency: 7 };

export function describeQueueStore(name: string, make: MakePorts): void {
  describePort(`queue store over ${name}`, make, (on) => {
    it("has none at first", async () => {
      expect(await on().one.queues.get("mail")).toBeNull();
    });

    it("makes a queue with what was asked, and the defaults", async () => {
      const { one, other } = on();
      expect(await one.queues.ensure("mail", settings)).toEqual(settings);
      expect(await other.queues.get("mail")).toEqual(settings);
      expect(await one.queues.ensure("half", { maxAttempts: 2 })).toMatchObject({ maxAttempts: 2 });
      const byDefault = await one.queues.ensure("plain");
      expect(byDefault).toEqual({ ackWaitMs: 30_000, maxAttempts: 5, concurrency: 1_000 });
    });

    it("leaves an existing one as it is", async () => {
      const { one, other } = on();
      await one.queues.ensure("mail", settings);
      expect(await one.queues.ensure("mail")).toEqual(settings);
      expect(await other.queues.ensure("mail", { ackWaitMs: 9_000, maxAttempts: 1 })).toEqual(settings);
      expect(await one.queues.get("mail")).toEqual(settings);
    });

    it("agrees when several make it at once", async () => {
      const { one, other } = on();
      const made = await Promise.all([one, other, one, other].map((ports) => ports.queues.ensure("mail")));
      for (const each of made) expect(each).toEqual(made[0]);
    });

    it("refuses a name that cannot be one", async () => {
      const { one } = on();
      for (const queue of ["", "a.b", "_void", "a*", "x".repeat(65)]) {
        await expect(one.queues.ensure(queue)).rejects.toMatchObject({ code: "invalid" });
      }
    });
  });
}
