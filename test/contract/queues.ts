import { expect, it, onTestFinished } from "vitest";
import {
  defaultQueueSettings,
  type QueueChange,
  type QueueRequest,
  type QueueStore,
} from "../../src/core/queue.js";
import { Arrivals } from "../support/until.js";
import type { MakePorts } from "./ports.js";
import { describePort } from "./suite.js";

const asked: QueueRequest = { ackWaitMs: 2_000, maxAttempts: 3, concurrency: 7 };
const everything: QueueRequest = {
  ...asked,
  backoffMs: [1_000, 60_000],
  paused: true,
  pausedUntil: Date.UTC(2030, 0, 1),
  note: "the mail server moves",
  maxDepth: 10,
  history: "outcome",
  rate: { limit: 10, periodMs: 60_000, burst: 2 },
  perKey: { concurrency: 1, rate: { limit: 1, periodMs: 1_000, burst: 1 }, order: true },
};

async function put(store: QueueStore, queue: string, request: QueueRequest, revision = 0): Promise<number> {
  const outcome = await store.write(queue, request, revision);
  if (outcome.kind !== "stored") throw new Error(outcome.kind);
  return outcome.revision;
}

export function describeQueueStore(name: string, make: MakePorts): void {
  describePort(`queue store over ${name}`, make, (on) => {
    it("has none at first, and one of which nothing was asked is none", async () => {
      const { one } = on();
      expect(await one.queues.get("mail")).toBeNull();
      expect(await one.queues.ensure("mail")).toEqual(defaultQueueSettings);
      expect(await one.queues.get("mail")).toBeNull();
      expect(await one.queues.list()).toEqual([]);
    });

    it("makes a queue with what was asked, and the defaults", async () => {
      const { one, other } = on();
      const settings = { ...defaultQueueSettings, ...asked };
      expect(await one.queues.ensure("mail", asked)).toEqual(settings);
      expect(await other.queues.get("mail")).toMatchObject({ queue: "mail", asked, settings });
      expect(await one.queues.ensure("half", { maxAttempts: 2 })).toMatchObject({ maxAttempts: 2 });
    });

    it("leaves an existing one as it is", async () => {
      const { one, other } = on();
      const settings = await one.queues.ensure("mail", asked);
      expect(await one.queues.ensure("mail")).toEqual(settings);
      expect(await other.queues.ensure("mail", { ackWaitMs: 9_000, maxAttempts: 1 })).toEqual(settings);
      expect(await one.queues.get("mail")).toMatchObject({ settings });
    });

    it("agrees when several make it at once", async () => {
      const { one, other } = on();
      const made = await Promise.all(
        [one, other, one, other].map((ports) => ports.queues.ensure("mail", asked)),
      );
      for (const each of made) expect(each).toEqual(made[0]);
    });

    it("keeps every setting", async () => {
      const { one, other } = on();
      const revision = await put(one.queues, "mail", everything);
      const settings = { ...defaultQueueSettings, ...everything };
      expect(await other.queues.get("mail")).toEqual({
        queue: "mail",
        revision,
        asked: everything,
        settings,
      });
    });

    it("stores only on the revision that is there", async () => {
      const { one, other } = on();
      const first = await put(one.queues, "mail", asked);
      expect(await other.queues.write("mail", {}, 0)).toEqual({ kind: "lost" });
      const second = await put(other.queues, "mail", { maxAttempts: 9 }, first);
      expect(await one.queues.write("mail", asked, first)).toEqual({ kind: "lost" });
      expect(await one.queues.remove("mail", first)).toEqual({ kind: "lost" });
      expect(await one.queues.get("mail")).toMatchObject({ revision: second, asked: { maxAttempts: 9 } });
    });

    it("forgets what was removed, and takes it again as new", async () => {
      const { one, other } = on();
      const revision = await put(one.queues, "mail", asked);
      expect(await one.queues.remove("mail", revision)).toMatchObject({ kind: "stored" });
      expect(await other.queues.get("mail")).toBeNull();
      expect(await other.queues.list()).toEqual([]);
      await put(other.queues, "mail", { maxDepth: 3 });
      expect(await one.queues.get("mail")).toMatchObject({ asked: { maxDepth: 3 } });
    });

    it("lists what was asked, by name", async () => {
      const { one, other } = on();
      await put(one.queues, "mail", asked);
      await put(one.queues, "files", {});
      expect((await other.queues.list()).map(({ queue }) => queue)).toEqual(["files", "mail"]);
    });

    it("tells of every record and every change", async () => {
      const { one, other } = on();
      const first = await put(one.queues, "mail", asked);
      const changes = new Arrivals<QueueChange>();
      const watch = await other.queues.watch((change) => changes.add(change));
      onTestFinished(() => watch.stop());
      expect(await changes.next()).toMatchObject({ queue: "mail", record: { revision: first, asked } });
      const second = await put(one.queues, "mail", { paused: true }, first);
      expect(await changes.next()).toMatchObject({
        queue: "mail",
        record: { revision: second, settings: { ...defaultQueueSettings, paused: true } },
      });
      await one.queues.remove("mail", second);
      expect(await changes.next()).toEqual({ queue: "mail", record: null });
    });

    it("tells of one queue alone, to whoever wants no other", async () => {
      const { one, other } = on();
      const changes = new Arrivals<QueueChange>();
      await put(one.queues, "mail-2", asked);
      const watch = await other.queues.watch((change) => changes.add(change), "mail");
      onTestFinished(() => watch.stop());
      await put(one.queues, "files", asked);
      await put(one.queues, "mail", { maxAttempts: 9 });
      expect(await changes.next()).toMatchObject({ queue: "mail", record: { asked: { maxAttempts: 9 } } });
      expect(changes.all).toHaveLength(1);
    });

    it("says what cannot be read, and goes on with the defaults", async () => {
      const { one, other, overwriteQueue } = on();
      const changes = new Arrivals<QueueChange>();
      const watch = await other.queues.watch((change) => changes.add(change));
      onTestFinished(() => watch.stop());
      for (const [text, problem] of [
        ["{", /stored queue mail: expected JSON/],
        ['{"ackWait":"soon"}', /ackWait: expected a duration such as "90s".*got "soon"/],
        ['{"backoff":[1,1,1,1,1]}', /backoff: expected at most 4, one fewer than maxAttempts, got 5/],
      ] as const) {
        await overwriteQueue("mail", text);
        const unreadable = expect.stringMatching(problem);
        const record = { asked: {}, settings: defaultQueueSettings, unreadable };
        expect(await one.queues.get("mail")).toMatchObject(record);
        expect(await changes.next()).toMatchObject({ queue: "mail", record });
        expect(await one.queues.ensure("mail")).toEqual(defaultQueueSettings);
      }
      await overwriteQueue("mail", '{"ackWait":"3s","ofALaterVersion":true}');
      expect(await one.queues.get("mail")).toMatchObject({ asked: { ackWaitMs: 3_000 } });
    });

    it("refuses a name that cannot be one", async () => {
      const { one } = on();
      for (const queue of ["", "a.b", "_void", "a*", "x".repeat(65)]) {
        await expect(one.queues.ensure(queue)).rejects.toMatchObject({ code: "invalid" });
      }
    });
  });
}
