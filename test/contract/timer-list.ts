import { expect, it } from "vitest";
import { shardOf } from "../../src/core/hash.js";
import { MINUTE_MS, minuteOf } from "../../src/core/timer.js";
import { headers as h } from "../../src/protocol/headers.js";
import { timerMessage } from "../../src/protocol/timer-message.js";
import { job } from "./given.js";
import type { MakePorts, PortsUnderTest } from "./ports.js";
import { describePort } from "./suite.js";

const MINUTE = minuteOf(Date.UTC(2031, 4, 17, 8, 30));
const DAY = 86_400_000;
/** Ids of the same shard, and one of another. */
const IDS = Array.from({ length: 100 }, (_, i) => `t${i}`);
const ONE = IDS.filter((id) => shardOf(id, 4) === 1);
const TWO = IDS.find((id) => shardOf(id, 4) === 2) as string;
const EVER = { from: 0, fromShard: 0, to: Date.UTC(9_000, 0) };

async function wait({ one, names }: PortsUnderTest, runId: string, at: number): Promise<void> {
  const work = job(names, runId, { headers: { [h.runId]: runId, "X-Own": "kept" } });
  await one.timers.put(timerMessage(work, at, { names, shards: 4, msgId: runId }));
}

export function describeTimerList(name: string, make: MakePorts): void {
  describePort(`lists of timers over ${name}`, make, (on) => {
    it("tells the next minutes of all shards, until they hold enough", async () => {
      const { other } = on();
      expect(await other.timerList.crowds({ ...EVER, enough: 1 })).toEqual([]);
      for (let i = 0; i < 3; i++) await wait(on(), ONE[i] as string, MINUTE + i * 1_000);
      await wait(on(), TWO, MINUTE);
      await wait(on(), ONE[3] as string, MINUTE - DAY);
      await wait(on(), ONE[4] as string, MINUTE + 400 * DAY);
      const crowds = [
        { minute: MINUTE - DAY, shard: 1, count: 1 },
        { minute: MINUTE, shard: 1, count: 3 },
        { minute: MINUTE, shard: 2, count: 1 },
        { minute: MINUTE + 400 * DAY, shard: 1, count: 1 },
      ];
      expect(await other.timerList.crowds({ ...EVER, enough: 100 })).toEqual(crowds);
      expect(await other.timerList.crowds({ ...EVER, enough: 2 })).toEqual(crowds.slice(0, 2));
      expect(await other.timerList.crowds({ ...EVER, enough: 1 })).toEqual(crowds.slice(0, 1));
      const range = { from: MINUTE + 59_999, to: MINUTE + MINUTE_MS, enough: 100 };
      expect(await other.timerList.crowds({ ...range, fromShard: 0 })).toEqual(crowds.slice(1, 3));
      expect(await other.timerList.crowds({ ...range, fromShard: 2 })).toEqual(crowds.slice(2, 3));
    });

    it("tells the timers of a crowd with their headers, stretch by stretch, few or many", async () => {
      const { other, names } = on();
      for (let i = 0; i < 8; i++) await wait(on(), ONE[i] as string, MINUTE + (8 - i) * 1_000);
      await wait(on(), TWO, MINUTE);
      for (const count of [4, 8]) {
        const crowd = { minute: MINUTE, shard: 1, count };
        const heads = async (after: number, limit: number) =>
          (await other.timerList.heads(crowd, after, limit)).map(({ seq }) => seq);
        expect(await heads(0, 4)).toEqual([1, 2, 3, 4]);
        expect(await heads(3, 2)).toEqual([4, 5]);
        expect(await heads(8, 8)).toEqual([]);
        const [first] = await other.timerList.heads(crowd, 0, 100);
        const headers = { "X-Own": "kept", [h.subject]: names.job("default", ONE[0] as string) };
        expect(first).toMatchObject({ runId: ONE[0], at: MINUTE + 8_000, headers });
      }
      expect(await other.timerList.heads({ minute: MINUTE + DAY, shard: 1, count: 9 }, 0, 9)).toEqual([]);
    });
  });
}
