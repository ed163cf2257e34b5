import { expect, it } from "vitest";
import type { LetterHead } from "../../src/core/dead-letter-store.js";
import type { Delivery } from "../../src/core/ports.js";
import { headers as h } from "../../src/protocol/headers.js";
import { until } from "../support/until.js";
import { job } from "./given.js";
import type { MakePorts } from "./ports.js";
import { describePort } from "./suite.js";

export function describeDeadLetterStore(name: string, make: MakePorts): void {
  describePort(`dead letters to look after over ${name}`, make, (on) => {
    const bury = (seq: number, queue = "mail", body = `"${seq}"`) =>
      on().one.dead.bury({
        queue,
        subject: on().names.job(queue, `j${seq}`),
        seq,
        headers: { [h.runId]: `j${seq}`, "X-Trace": "t" },
        body: new TextEncoder().encode(body),
        reason: "not retryable",
        attempts: 1,
        error: "no route",
      });

    async function seen(range: { queue?: string; from: number; before: number }, most = 1_000) {
      const found: LetterHead[] = [];
      await on().other.letters.scan(range, (letter) => found.push(letter) < most);
      return found;
    }

    it("has no letters at first", async () => {
      const { letters } = on().one;
      const { first, next } = await letters.bounds();
      expect(next).toBe(1);
      expect(first).toBeLessThanOrEqual(next);
      expect(await seen({ from: 1, before: 10 })).toEqual([]);
      expect(await letters.at(1)).toBeNull();
      expect(await letters.remove(1)).toBe(false);
    });

    it("gives a letter as it was buried", async () => {
      await bury(7);
      const letter = await on().other.letters.at(1);
      expect(Buffer.from(letter?.body ?? []).toString()).toBe('"7"');
      expect(letter?.headers).toMatchObject({ [h.runId]: "j7", "X-Trace": "t", [h.error]: "no route" });
    });

    it("shows the letters of a range, the oldest first, with the size of their bodies", async () => {
      for (const seq of [1, 2, 3, 4]) await bury(seq);
      const found = await seen({ from: 2, before: 4 });
      expect(found.map(({ seq, bodyBytes }) => [seq, bodyBytes])).toEqual([
        [2, 3],
        [3, 3],
      ]);
      expect(found[0]?.headers).toMatchObject({ [h.runId]: "j2", [h.error]: "no route" });
      expect(found[0]?.storedAt).toBeGreaterThan(0);
      expect(await seen({ from: 5, before: 9 })).toEqual([]);
      expect(await seen({ from: 3, before: 3 })).toEqual([]);
    });

    it("shows those of one queue, and no more than are wanted", async () => {
      for (const seq of [1, 2, 3]) await bury(seq, seq === 2 ? "other" : "mail");
      expect((await seen({ queue: "mail", from: 1, before: 9 })).map(({ seq }) => seq)).toEqual([1, 3]);
      expect((await seen({ queue: "other", from: 1, before: 9 })).map(({ seq }) => seq)).toEqual([2]);
      expect((await seen({ queue: "none", from: 1, before: 9 })).map(({ seq }) => seq)).toEqual([]);
      expect((await seen({ from: 1, before: 9 }, 2)).map(({ seq }) => seq)).toEqual([1, 2]);
    });

    it("removes a letter once, and goes past it", async () => {
      for (const seq of [1, 2, 3]) await bury(seq);
      const { one, other } = on();
      expect(await one.letters.remove(1)).toBe(true);
      expect(await other.letters.remove(1)).toBe(false);
      expect(await other.letters.at(1)).toBeNull();
      expect(await one.letters.bounds()).toEqual({ first: 2, next: 4 });
      await one.letters.remove(2);
      expect((await seen({ from: 1, before: 9 })).map(({ seq }) => seq)).toEqual([3]);
    });
  });
}

export function describeQueuedJobs(name: string, make: MakePorts): void {
  describePort(`jobs that were queued over ${name}`, make, (on) => {
    it("are known by their subject and their run, whether they are still there or not", async () => {
      const { names, one, other } = on();
      const message = { ...job(names, "a"), headers: { [h.runId]: "a:1" } };
      expect(await other.queuedJobs.has(message.subject, "a:1", 0)).toBe(false);
      const stored = await one.work.publish(message);
      await until(() => other.queuedJobs.has(message.subject, "a:1", 0));
      expect(await other.queuedJobs.has(message.subject, "a:2", 0)).toBe(false);
      expect(await other.queuedJobs.has(names.job("default", "b"), "a:1", 0)).toBe(false);
      await one.work.remove(stored.kind === "stored" ? stored.seq : 0);
      const next = { ...message, msgId: "a:2/1", headers: { [h.runId]: "a:2" } };
      await one.work.publish(next);
      await until(() => other.queuedJobs.has(message.subject, "a:2", 0));
      expect(await other.queuedJobs.has(message.subject, "a:1", 0)).toBe(true);
    });

    it("are told apart by the life of the run upon which they follow", async () => {
      const { names, one, other } = on();
      const message = { ...job(names, "a"), headers: { [h.runId]: "a:then", [h.parentLife]: "7" } };
      await one.work.publish(message);
      await until(() => other.queuedJobs.has(message.subject, "a:then", 0));
      expect(await other.queuedJobs.has(message.subject, "a:then", 0, 7)).toBe(true);
      expect(await other.queuedJobs.has(message.subject, "a:then", 0, 8)).toBe(false);
    });

    it("before a time do not count", async () => {
      const { names, one, clock } = on();
      const message = { ...job(names, "a"), headers: { [h.runId]: "a:1" } };
      await one.work.publish(message);
      await until(() => one.queuedJobs.has(message.subject, "a:1", 0));
      expect(await one.queuedJobs.has(message.subject, "a:1", clock.now() + 60_000)).toBe(false);
    });
  });
}

export function describeStuckMessages(name: string, make: MakePorts): void {
  describePort(`stuck messages over ${name}`, make, (on) => {
    async function consume(onDelivery: (delivery: Delivery) => void) {
      await on().one.queues.ensure("default", { maxAttempts: 2, concurrency: 10 });
      return on().one.source.consume("default", { concurrency: 10, onDelivery });
    }
    const stuck = async () => (await on().other.stuck.find()).map(({ seq }) => seq);

    it("are those that nobody delivers again; not those that wait, run, or are put back", async () => {
      const { names, one } = on();
      const held: Delivery[] = [];
      let refused = 0;
      const consumer = await consume((delivery) => {
        if (delivery.subject.endsWith(".bad")) {
          refused++;
          delivery.nak(0);
        } else held.push(delivery);
      });
      expect(await stuck()).toEqual([]);
      await one.work.publish(job(names, "running"));
      await one.work.publish(job(names, "bad"));
      await one.work.publish(job(names, "later"));
      await until(() => refused === 2 && held.length === 2);
      for (const delivery of held) {
        if (delivery.subject.endsWith(".later")) delivery.nak(3_600_000);
        else delivery.working();
      }
      // The consumer looks at a message that was put back when it has to find another one to deliver.
      await one.work.publish(job(names, "next"));
      await until(() => held.length === 3);
      expect(await stuck()).not.toContain(1);
      expect(await stuck()).not.toContain(3);
      const delivered = await one.stuck.find(true);
      const inHand = delivered.filter(({ mayBeInHand }) => mayBeInHand).map(({ seq }) => seq);
      expect(inHand).toEqual(expect.arrayContaining([1, 3, 4]));
      for (const delivery of held) delivery.ack();
      await until(async () => (await one.work.at(1)) === null && (await one.work.at(4)) === null);
      await until(async () => String(await stuck()) === "2");
      const [found] = await one.stuck.find();
      expect(found).toMatchObject({ seq: 2, attempts: 2, subject: names.job("default", "bad") });
      expect(found).toMatchObject({ areAcksTold: true, mayBeInHand: false });
      expect(found?.storedAt).toBe((await one.work.at(2))?.storedAt);
      await one.work.remove(2);
      expect(await stuck()).toEqual([]);
      await consumer.stop();
    });

    it("say that nobody would know if they were done, in a queue without history", async () => {
      const { names, one } = on();
      await one.queues.ensure("quiet", { maxAttempts: 1, concurrency: 10, history: "off" });
      const onDelivery = (delivery: Delivery) => delivery.nak(0);
      const consumer = await one.source.consume("quiet", { concurrency: 10, onDelivery });
      await one.work.publish(job(names, "bad", { subject: names.job("quiet", "bad") }));
      await until(async () => String(await stuck()) === "1");
      expect(await one.stuck.find()).toMatchObject([{ areAcksTold: false }]);
      await consumer.stop();
    });
  });
}
