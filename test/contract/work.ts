import { expect, it } from "vitest";
import { headers as h } from "../../src/protocol/headers.js";
import { job, tombstone } from "./given.js";
import type { MakePorts } from "./ports.js";
import { describePort } from "./suite.js";

export function describeWorkStream(name: string, make: MakePorts): void {
  describePort(`work stream over ${name}: publish`, make, (on) => {
    it("stores, and says where", async () => {
      const { names, one } = on();
      const first = await one.work.publish(job(names, "a"));
      const second = await one.work.publish(job(names, "b"));
      expect(first).toEqual({ kind: "stored", seq: 1 });
      expect(second).toEqual({ kind: "stored", seq: 2 });
    });

    it("answers a repeat as a duplicate of the first, from any connection", async () => {
      const { names, one, other } = on();
      await one.work.publish(job(names, "z"));
      await one.work.publish(job(names, "a"));
      expect(await one.work.publish(job(names, "a"))).toEqual({ kind: "duplicate", seq: 2 });
      expect(await other.work.publish(job(names, "a"))).toEqual({ kind: "duplicate", seq: 2 });
    });

    it("knows an id again under another subject, and when the message is gone", async () => {
      const { names, one } = on();
      await one.work.publish(tombstone(names, "a", 1));
      expect(await one.work.publish(job(names, "a"))).toEqual({ kind: "duplicate", seq: 1 });
      expect(await one.work.lastOn(job(names, "a").subject)).toBeNull();
      await one.work.remove(1);
      expect(await one.work.publish(job(names, "a"))).toEqual({ kind: "duplicate", seq: 1 });
    });

    it("refuses a second message on a subject while the first is there", async () => {
      const { names, one, other } = on();
      await one.work.publish(job(names, "a"));
      expect(await other.work.publish(job(names, "a", { msgId: "a/2" }))).toEqual({ kind: "taken" });
      await one.work.remove(1);
      expect(await other.work.publish(job(names, "a", { msgId: "a/3" }))).toMatchObject({ kind: "stored" });
    });

    it("lets exactly one of many publishers of one subject in", async () => {
      const { names, one, other } = on();
      const tries = Array.from({ length: 20 }, (_, i) =>
        (i % 2 === 0 ? one : other).work.publish(job(names, "a", { msgId: `a/${i}` })),
      );
      const kinds = (await Promise.all(tries)).map((outcome) => outcome.kind);
      expect(kinds.filter((kind) => kind === "stored")).toHaveLength(1);
      expect(kinds.filter((kind) => kind === "taken")).toHaveLength(19);
    });

    it("does not use up the message id of what it refused", async () => {
      const { names, one } = on();
      await one.work.publish(job(names, "a"));
      const second = job(names, "a", { msgId: "a/2" });
      expect(await one.work.publish(second)).toEqual({ kind: "taken" });
      await one.work.remove(1);
      expect(await one.work.publish(second)).toMatchObject({ kind: "stored" });
    });

    it("says when it is full, which is not the same as taken, and takes the message when there is room", async () => {
      const { names, one, limitWork } = on();
      await limitWork(2);
      await one.work.publish(job(names, "a"));
      await one.work.publish(job(names, "b"));
      const refused = await one.work.publish(job(names, "c"));
      expect(refused).toMatchObject({ kind: "full", reason: expect.stringMatching(/maximum/) });
      expect(await one.work.publish(job(names, "a", { msgId: "a/2" }))).toEqual({ kind: "taken" });
      await one.work.remove(1);
      expect(await one.work.publish(job(names, "c"))).toMatchObject({ kind: "stored" });
    });

    it("refuses for good what is larger than a message may be", async () => {
      const { names, one } = on();
      const body = new Uint8Array(1_048_577);
      expect(await one.work.publish(job(names, "a", { body }))).toMatchObject({ kind: "refused" });
      expect(await one.work.publish(job(names, "a"))).toMatchObject({ kind: "stored" });
    });

    it("takes many at once, each with its own outcome", async () => {
      const { names, one } = on();
      const seqs = new Set<number>();
      const publishing: Promise<unknown>[] = [];
      for (let i = 0; i < 3_000; i++) {
        await one.work.ready();
        const publish = one.work.publish(job(names, `a-${i % 2_000}`, { msgId: `${i}` }));
        publishing.push(publish.then((outcome) => outcome.kind === "stored" && seqs.add(outcome.seq)));
      }
      await Promise.all(publishing);
      expect(seqs.size).toBe(2_000);
    });
  });

  describePort(`work stream over ${name}: reading and removing`, make, (on) => {
    it("reads by subject and by sequence, as it was published", async () => {
      const { names, one, other, clock } = on();
      const before = clock.now();
      const message = job(names, "a", { headers: { [h.runId]: "a", "X-Trace": "t 1" } });
      await one.work.publish(message);
      const read = await other.work.lastOn(message.subject);
      expect(read).toMatchObject({
        seq: 1,
        subject: message.subject,
        headers: { ...message.headers, [h.msgId]: message.msgId },
      });
      expect(Buffer.from(read?.body ?? []).toString()).toBe('"a"');
      expect(read?.storedAt).toBeGreaterThanOrEqual(before - 1);
      expect(read?.storedAt).toBeLessThanOrEqual(clock.now() + 1);
      expect(await other.work.at(1)).toEqual(read);
    });

    it("has null where there is nothing", async () => {
      const { names, one } = on();
      expect(await one.work.lastOn(names.job("default", "none"))).toBeNull();
      expect(await one.work.at(1)).toBeNull();
      await one.work.publish(job(names, "a"));
      await one.work.remove(1);
      expect(await one.work.lastOn(job(names, "a").subject)).toBeNull();
      expect(await one.work.at(1)).toBeNull();
      expect(await one.work.at(9)).toBeNull();
    });

    it("removes again without complaint", async () => {
      const { names, one } = on();
      await one.work.publish(job(names, "a"));
      await one.work.remove(1);
      await one.work.remove(1);
      await one.work.remove(99);
    });

    it("knows its tombstones, or those that are old enough, and nothing else", async () => {
      const { names, one, clock } = on();
      await one.work.publish(job(names, "a"));
      await one.work.publish(tombstone(names, "a:1", 1));
      await one.work.publish(tombstone(names, "a:1", 2));
      await one.work.publish(job(names, "b"));
      expect(await one.work.tombstones(clock.now() - 3_600_000)).toEqual([]);
      const later = clock.now() + 3_600_000;
      const all = await one.work.tombstones(later);
      expect(all.map(({ subject }) => subject)).toEqual([1, 2].map((term) => names.tombstone("a:1", term)));
      expect(all[0]).toEqual(await one.work.at(2));
      expect(await one.work.tombstones()).toEqual(all);
      await one.work.remove(2);
      expect(await one.work.tombstones(later)).toEqual(all.slice(1));
      await one.work.publish(tombstone(names, "a:1", 3));
      expect((await one.work.tombstones(later)).map(({ seq }) => seq)).toEqual([3, 5]);
      for (const seq of [3, 5]) await one.work.remove(seq);
      expect(await one.work.tombstones(later)).toEqual([]);
    });
  });
}
