import { expect, it } from "vitest";
import { shardOf } from "../../src/core/hash.js";
import { MINUTE_MS, minuteOf, type Timer } from "../../src/core/timer.js";
import { headers as h } from "../../src/protocol/headers.js";
import { timerMessage } from "../../src/protocol/timer-message.js";
import { until } from "../support/until.js";
import { job } from "./given.js";
import type { MakePorts, PortsUnderTest } from "./ports.js";
import { describePort } from "./suite.js";

const SHARDS = 4;
const AT = Date.UTC(2031, 4, 17, 8, 30, 12, 345);
const MINUTE = minuteOf(AT);

/** Ids that share a shard. */
const IDS = Array.from({ length: 200 }, (_, i) => `t${i}`).filter((id) => shardOf(id, SHARDS) === 1);
const ELSEWHERE = Array.from({ length: 20 }, (_, i) => `e${i}`).find(
  (id) => shardOf(id, SHARDS) === 2,
) as string;

function timer({ names }: PortsUnderTest, runId: string, at = AT, msgId = runId) {
  const work = job(names, runId, { headers: { [h.runId]: runId, "X-Own": "kept" } });
  return timerMessage(work, at, { names, shards: SHARDS, msgId });
}

const seqsOf = (timers: readonly Timer[]): number[] => timers.map(({ seq }) => seq);

export function describeTimerStore(name: string, make: MakePorts): void {
  describePort(`timers over ${name}`, make, (on) => {
    it("keeps a job until it is removed, with all it needs to be queued", async () => {
      const { one, other, names } = on();
      const message = timer(on(), IDS[0] as string);
      expect(await one.timers.put(message)).toEqual({ kind: "stored", seq: 1 });
      const [found] = await other.timers.of(1, MINUTE);
      expect(found).toEqual({ seq: 1, at: AT, runId: IDS[0] });
      expect(await other.timers.read(1)).toMatchObject({
        subject: message.subject,
        headers: {
          "X-Own": "kept",
          [h.subject]: names.job("default", IDS[0] as string),
          [h.at]: "2031-05-17T08:30:12.345Z",
        },
        body: message.body,
      });
      await other.timers.remove(1);
      expect(await one.timers.of(1, MINUTE)).toEqual([]);
      expect(await one.timers.read(1)).toBeNull();
      await other.timers.remove(1);
    });

    it("takes a message once", async () => {
      const { one, other } = on();
      await one.timers.put(timer(on(), IDS[0] as string));
      expect(await other.timers.put(timer(on(), IDS[0] as string))).toEqual({ kind: "duplicate", seq: 1 });
      expect(await other.timers.put(timer(on(), IDS[0] as string, AT, "again"))).toMatchObject({
        kind: "stored",
      });
    });

    it("finds them by shard and minute, in the order of storing", async () => {
      const { one, other } = on();
      const ids = IDS.slice(0, 12);
      for (const [i, id] of ids.entries())
        await one.timers.put(timer(on(), id, MINUTE + ((i * 7) % 12) * 4_000));
      await one.timers.put(timer(on(), "t0", AT + MINUTE_MS, "next minute"));
      await one.timers.put(timer(on(), ELSEWHERE));
      expect(seqsOf(await other.timers.of(1, AT))).toEqual(ids.map((_, i) => i + 1));
      expect(await other.timers.of(2, MINUTE)).toEqual([{ seq: ids.length + 2, at: AT, runId: ELSEWHERE }]);
      expect(await other.timers.of(0, MINUTE)).toEqual([]);
    });

    it("finds those that are left of a minute, whichever was removed", async () => {
      const { one, other } = on();
      for (const id of IDS.slice(0, 4)) await one.timers.put(timer(on(), id));
      await one.timers.remove(4);
      expect(seqsOf(await other.timers.of(1, MINUTE))).toEqual([1, 2, 3]);
      await one.timers.remove(2);
      expect(seqsOf(await other.timers.of(1, MINUTE))).toEqual([1, 3]);
      await one.timers.remove(1);
      await one.timers.remove(3);
      expect(await other.timers.of(1, MINUTE)).toEqual([]);
    });

    it("tells for which minutes a shard has any", async () => {
      const { one, other } = on();
      const day = 24 * 3_600_000;
      for (const [i, at] of [AT + 900 * day, AT, AT + 1, AT + day].entries())
        await one.timers.put(timer(on(), IDS[i] as string, at));
      expect(await other.timers.minutes(1)).toEqual([MINUTE, MINUTE + day, MINUTE + 900 * day]);
      expect(await other.timers.minutes(0)).toEqual([]);
      await one.timers.remove(4);
      expect(await other.timers.minutes(1)).toEqual([MINUTE, MINUTE + 900 * day]);
    });

    it("tells of what is stored from now on, of one shard", async () => {
      const { one, other } = on();
      await one.timers.put(timer(on(), IDS[0] as string));
      const told: Timer[] = [];
      const watch = await other.timers.watch(1, (one) => told.push(one));
      await one.timers.put(timer(on(), ELSEWHERE));
      await one.timers.put(timer(on(), IDS[1] as string, AT + 5));
      await until(() => told.length > 0);
      expect(told).toEqual([{ seq: 3, at: AT + 5, runId: IDS[1] }]);
      await watch.stop();
    });

    it("reads a minute with thousands of them whole", async () => {
      const { one, other } = on();
      const puts: Promise<unknown>[] = [];
      for (let i = 0; i < 6_000; i++) {
        await one.timers.ready();
        puts.push(one.timers.put(timer(on(), IDS[i % IDS.length] as string, AT, `id-${i}`)));
      }
      await Promise.all(puts);
      expect(new Set(seqsOf(await other.timers.of(1, MINUTE))).size).toBe(6_000);
    });
  });
}
