import { expect, test } from "vitest";
import { ManualClock } from "../../src/testing/index.js";
import { Turns } from "../../src/worker/turns.js";

function counted(turns: Turns): { told: number; take(): void } {
  const count = {
    told: 0,
    take: () => {
      void turns.take().then(() => count.told++);
    },
  };
  return count;
}

test("ends wait while jobs come in, and are told together when they take a quarter of the slots", async () => {
  const clock = new ManualClock();
  const turns = new Turns(clock, 25, 40);
  const ends = counted(turns);
  for (let ms = 0; ms < 10; ms++) {
    turns.onDelivery();
    ends.take();
    await clock.pass(1);
    if (ends.told > 0) break;
  }
  expect(ends.told).toBe(10);
});

test("ends are told when nothing has come for a moment", async () => {
  const clock = new ManualClock();
  const turns = new Turns(clock, 25, 10);
  const ends = counted(turns);
  turns.onDelivery();
  ends.take();
  await clock.pass(1);
  expect(ends.told).toBe(0);
  await clock.pass(2);
  expect(ends.told).toBe(1);
});

test("no end waits for longer than it may, however many jobs come", async () => {
  const clock = new ManualClock();
  const turns = new Turns(clock, 25, 1_000);
  const ends = counted(turns);
  ends.take();
  for (let ms = 0; ms < 24; ms++) {
    turns.onDelivery();
    await clock.pass(1);
  }
  expect(ends.told).toBe(0);
  turns.onDelivery();
  await clock.pass(1);
  expect(ends.told).toBe(1);
});

test("with no time to wait, every end is told at once", async () => {
  const turns = new Turns(new ManualClock(), 0, 10);
  turns.onDelivery();
  await turns.take();
});
