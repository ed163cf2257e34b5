import { expect, it } from "vitest";
import { MINUTE_MS, minuteOf } from "../../src/core/timer.js";
import { headers as h } from "../../src/protocol/headers.js";
import { timerMessage } from "../../src/protocol/timer-message.js";
import { job } from "./given.js";
import type { MakePorts, PortsUnderTest } from "./ports.js";
import { describePort } from "./suite.js";

const MINUTE = minuteOf(Date.UTC(2031, 4, 17, 8, 30));
const DAY = 86_400_000;
const EVER = { from: 0, to: Date.UTC(9_000, 0) };

async function wait({ one, names }: PortsUnderTest, runId: string, at: number): Promise<void> {
  const work = job(names, runId, { headers: { [h.runId]: runId, "X-Own": "kept" } });
  await one.timers.put(timerMessage(work, at, { names, shards: 4, msgId: runId }));
}

export function describeTimerList(name: string, make: MakePorts): void {
  describePort(`lists of timers over ${name}`, make, (on) => {
    it("tells the next minutes of all shards, until they hold enough", async () => {
      const { other } = on();
      expect(await other.timerList.crowds({ ...EVER, enough: 1 })).toEqual([]);
      for (let i = 0; i < 8; i++) await wait(on(), `t${i}`, MINUTE + i * 1_000);
      await wait(on(), "a", MINUTE - DAY);
      await wait(on(), "b", MINUTE + 400 * DAY);
      const crowds = [
        { minute: MINUTE - DAY, count: 1 },
        { minute: MINUTE, count: 8 },
        { minute: MINUTE + 400 * DAY, count: 1 },
      ];
      expect(await other.timerList.crowds({ ...EVER, enough: 100 })).toEqual(crowds);
      expect(await other.timerList.crowds({ ...EVER, enough: 2 })).toEqual(crowds.slice(0, 2));
      expect(await other.timerList.crowds({ ...EVER, enough: 1 })).toEqual(crowds.slice(0, 1));
      const range = { from: MINUTE + 59_999, to: MINUTE + MINUTE_MS };
      expect(await other.timerList.crowds({ ...range, enough: 100 })).toEqual(crowds.slice(1, 2));
    });

    it("tells the timers of a minute with their headers, stretch by stretch", async () => {
      const { other, names } = on();
      for (let i = 0; i < 8; i++) await wait(on(), `t${i}`, MINUTE + (8 - i) * 1_000);
      await wait(on(), "next", MINUTE + MINUTE_MS);
      const all = await other.timerList.heads(MINUTE, 0, 100);
      expect(all.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
      expect(all[0]).toMatchObject({
        runId: "t0",
        at: MINUTE + 8_000,
        headers: { "X-Own": "kept", [h.subject]: names.job("default", "t0") },
      });
      expect((await other.timerList.heads(MINUTE, 3, 2)).map(({ seq }) => seq)).toEqual([4, 5]);
      expect(await other.timerList.heads(MINUTE, 8, 2)).toEqual([]);
      expect(await other.timerList.heads(MINUTE + DAY, 0, 2)).toEqual([]);
    });
  });
}
