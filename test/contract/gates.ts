import { expect, it } from "vitest";
import type { WorkMessage } from "../../src/core/ports.js";
import { headers as h } from "../../src/protocol/headers.js";
import type { Names } from "../../src/protocol/names.js";
import { until } from "../support/until.js";
import { job } from "./given.js";
import type { MakePorts } from "./ports.js";
import { describePort } from "./suite.js";

function waiting(names: Names, id: string, key: string | null, queue = "mail"): WorkMessage {
  return { ...job(names, id), subject: names.gate(queue, key, id) };
}

const queued = (names: Names, id: string, queue = "mail"): WorkMessage => ({
  ...job(names, id),
  subject: names.job(queue, id),
});

export function describeGateStore(name: string, make: MakePorts): void {
  describePort(`gates over ${name}`, make, (on) => {
    it("tell who waits, in order, by key, from a place on, and no more than asked for", async () => {
      const { names, one, other } = on();
      const keys = ["a", "b", null, "a", "a", null];
      for (const [index, key] of keys.entries()) await one.work.publish(waiting(names, `job-${index}`, key));
      await one.work.publish(waiting(names, "elsewhere", "a", "mails"));
      await one.work.publish(queued(names, "passed"));
      const urgent = { ...waiting(names, "urgent", null), headers: { [h.priority]: "high" } };
      await one.work.publish(urgent);
      const [last] = await other.gates.waiting("mail", { after: 8, limit: 1 });
      expect(last).toMatchObject({ seq: 9, lane: "high", runId: "urgent:9" });
      await one.work.remove(9);
      const all = await other.gates.waiting("mail", { after: 0, limit: 100 });
      expect(all.map(({ seq, key, lane }) => [seq, key, lane])).toEqual(
        keys.map((key, index) => [index + 1, key, "work"]),
      );
      expect(all.map(({ runId }) => runId)).toEqual(keys.map((_, index) => `job-${index}`));
      const stored = await one.work.at(1);
      expect(all[0]?.storedAt).toBe(stored?.storedAt);
      const seqs = async (query: Parameters<typeof other.gates.waiting>[1]) =>
        (await other.gates.waiting("mail", query)).map(({ seq }) => seq);
      expect(await seqs({ after: 2, limit: 2 })).toEqual([3, 4]);
      expect(await seqs({ after: 6, limit: 2 })).toEqual([]);
      expect(await seqs({ after: 0, limit: 2, key: "a" })).toEqual([1, 4]);
      expect(await seqs({ after: 1, limit: 9, key: "a" })).toEqual([4, 5]);
      await one.work.remove(4);
      expect(await seqs({ after: 0, limit: 9, key: "a" })).toEqual([1, 5]);
    });

    it("leave none out of many, however thinly and thickly they lie among other messages", async () => {
      const { names, one, other } = on();
      const expected: number[] = [];
      const publishing: Promise<unknown>[] = [];
      for (let i = 1; i <= 1_500; i++) {
        const isWaiting = i % 500 < 250 ? i % 25 === 0 : i % 3 !== 0;
        if (isWaiting) expected.push(i);
        publishing.push(
          one.work.publish(isWaiting ? waiting(names, `${i}`, `k${i % 5}`) : queued(names, `${i}`)),
        );
      }
      await Promise.all(publishing);
      const found: number[] = [];
      for (const limit of [3, 5, 100, 1_000]) {
        const batch = await other.gates.waiting("mail", { after: found.at(-1) ?? 0, limit });
        expect(batch.length).toBe(Math.min(limit, expected.length - found.length));
        found.push(...batch.map(({ seq }) => seq));
      }
      expect(found).toEqual(expected);
    });

    it("count who waits", async () => {
      const { names, one, other } = on();
      expect(await other.gates.count("mail")).toBe(0);
      for (let i = 0; i < 5; i++) await one.work.publish(waiting(names, `${i}`, `k${i % 2}`));
      await one.work.publish(waiting(names, "elsewhere", null, "mails"));
      await one.work.publish(queued(names, "passed"));
      expect(await other.gates.count("mail")).toBe(5);
      await one.work.remove(2);
      await one.work.remove(3);
      expect(await other.gates.count("mail")).toBe(3);
      expect(await other.gates.count("mails")).toBe(1);
    });

    it("know the queue of the next that waits, of all queues", async () => {
      const { names, one, other } = on();
      await one.work.publish(queued(names, "passed"));
      expect(await other.gates.nextQueue(1)).toBeNull();
      expect(await other.gates.lastSequence()).toBe(1);
      await one.work.publish(waiting(names, "first", null, "reports"));
      await one.work.publish(waiting(names, "second", null, "mail"));
      expect(await other.gates.nextQueue(1)).toEqual({ queue: "reports", seq: 2 });
      expect(await other.gates.nextQueue(3)).toEqual({ queue: "mail", seq: 3 });
      expect(await other.gates.nextQueue(4)).toBeNull();
      expect(await other.gates.lastSequence()).toBe(3);
    });

    it("hold one job under an id, however often it is published", async () => {
      const { names, one, other } = on();
      await one.work.publish(waiting(names, "twice", "a"));
      const again = { ...waiting(names, "twice", "a"), msgId: "another" };
      expect(await other.work.publish(again)).toEqual({ kind: "taken" });
    });

    it("hint at an arrival, of their queue alone", async () => {
      const { names, one, other, pass } = on();
      let arrived = 0;
      const others: string[] = [];
      one.gates.onArrival("mail", () => arrived++);
      one.gates.onArrival("reports", () => others.push("reports"));
      const stopped = one.gates.onArrival("mail", () => others.push("stopped"));
      await stopped.stop();
      await one.runs.lastSequence(); // the server has heard
      await other.work.publish(waiting(names, "a", "k"));
      await until(async () => {
        await pass(10);
        return arrived > 0;
      });
      expect(others).toEqual([]);
    });

    it("hint at a departure when a worker acknowledges", async () => {
      const { names, one, other, pass } = on();
      await other.queues.ensure("mail");
      const departed: number[] = [];
      const subscription = one.gates.onDeparture("mail", (seq) => departed.push(seq));
      await one.runs.lastSequence();
      await one.work.publish(queued(names, "a"));
      expect(departed).toEqual([]);
      await other.source.consume("mail", { concurrency: 1, onDelivery: (delivery) => delivery.ack() });
      await until(async () => {
        await pass(10);
        return departed.length > 0;
      });
      expect(departed).toEqual([1]);
      await subscription.stop();
    });

    it("hint at a departure when a worker gives a job up", async () => {
      const { names, one, other, pass } = on();
      await other.queues.ensure("mail");
      const departed: number[] = [];
      one.gates.onDeparture("mail", (seq) => departed.push(seq));
      await one.runs.lastSequence();
      await one.work.publish(queued(names, "a"));
      await other.source.consume("mail", { concurrency: 1, onDelivery: (delivery) => delivery.term("no") });
      await until(async () => {
        await pass(10);
        return departed.length > 0;
      });
      expect(departed).toEqual([1]);
    });

    it("tell of what is stored in a queue past its gate, once, and of nothing that is refused", async () => {
      const { names, one, other, pass } = on();
      let told = 0;
      one.gates.onBypass("mail", () => told++);
      const stopped = one.gates.onBypass("mail", () => (told += 1_000));
      await stopped.stop();
      await one.runs.lastSequence(); // the server has heard
      const publish = (subject: string, msgId: string) =>
        other.work.publish({ ...job(names, "x"), subject, msgId });
      const nightly = names.fire("mail", "nightly", "1");
      const kinds = [
        await publish(nightly, "nightly:1/1"),
        await publish(nightly, "nightly:2/1"),
        await publish(nightly, "nightly:2/1"),
        await publish(names.fire("mail", "hourly", "20260101T000000Z", "low"), "hourly:1/1"),
        await publish(names.job("mail", "straight", "high"), "straight/1"),
        await publish(names.job("mail", "straight", "high"), "straight/2"),
      ].map(({ kind }) => kind);
      expect(kinds).toEqual(["stored", "taken", "taken", "stored", "stored", "taken"]);
      await publish(names.job("mail", "passed"), "passed/g7");
      await publish(names.untold("mail", "untold"), "untold/g8");
      await publish(names.gate("mail", null, "waits"), "waits/1");
      await publish(names.fire("mails", "nightly", "1"), "nightly:3/1");
      await publish(names.fire("mail", "daily", "2"), "daily:1/1");
      await until(async () => {
        await pass(10);
        return told >= 4;
      });
      expect(told).toBe(4);
    });

    it("tell once of a run that is published until WORK has room, or its subject is free", async () => {
      const { names, one, other, pass, limitWork } = on();
      let told = 0;
      one.gates.onBypass("mail", () => told++);
      await one.runs.lastSequence();
      const publish = async (place: string, id: string) =>
        (await other.work.publish({ ...job(names, id), subject: names.fire("mail", "often", place) })).kind;
      expect(await publish("1", "first")).toBe("stored");
      await limitWork(1);
      for (let i = 0; i < 3; i++) expect(await publish("20260101T000000Z", "own")).toBe("full");
      for (let i = 0; i < 3; i++) expect(await publish("1", "second")).toBe("taken");
      await limitWork(100);
      await one.work.remove(1);
      expect(await publish("20260101T000000Z", "own")).toBe("stored");
      expect(await publish("1", "second")).toBe("stored");
      expect(await publish("1", "second")).toBe("duplicate");
      expect(await publish("2", "third")).toBe("stored");
      await until(async () => {
        await pass(10);
        return told >= 4;
      });
      expect(told).toBe(4);
    });

    it("tell of a run that is done before anybody looks", async () => {
      const { names, one, other, pass } = on();
      await other.queues.ensure("mail");
      let told = 0;
      one.gates.onBypass("mail", () => told++);
      await one.runs.lastSequence();
      await other.source.consume("mail", { concurrency: 1, onDelivery: (delivery) => delivery.ack() });
      for (let i = 0; i < 5; i++) {
        const message = {
          ...job(names, "x"),
          subject: names.fire("mail", "nightly", `${i}`),
          msgId: `${i}/1`,
        };
        await other.work.publish(message);
      }
      await until(async () => {
        await pass(10);
        return told >= 5;
      });
      expect(told).toBe(5);
    });

    it("know since when nothing was put into a queue", async () => {
      const { names, one, other } = on();
      expect(await other.gates.quietSince("mail")).toBe(0);
      await one.work.publish(queued(names, "elsewhere", "mails"));
      await one.work.publish({ ...job(names, "w"), subject: names.gate("mail", null, "w") });
      expect(await other.gates.quietSince("mail")).toBe(0);
      await one.work.publish({ ...job(names, "x"), subject: names.ticket("mail", "a", 1) });
      const first = await one.work.at(3);
      await until(async () => (await other.gates.quietSince("mail")) >= (first?.storedAt ?? 0));
      await one.work.publish({ ...job(names, "y"), subject: names.job("mail", "y", "low") });
      const second = await one.work.at(4);
      await until(async () => (await other.gates.quietSince("mail")) >= (second?.storedAt ?? 0));
      expect(await other.gates.quietSince("mail")).toBeLessThan((second?.storedAt ?? 0) + 1_000);
    });
  });
}
