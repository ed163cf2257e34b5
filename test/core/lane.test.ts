import { expect, test } from "vitest";
import { type Lane, LaneTurns } from "../../src/core/lane.js";

function served(count: number, ...waiting: Lane[]): (Lane | null)[] {
  const turns = new LaneTurns();
  return Array.from({ length: count }, () => turns.next((lane) => waiting.includes(lane)));
}

const times = (count: number, lane: Lane): Lane[] => Array.from({ length: count }, () => lane);

test("with nothing anywhere there is no next lane", () => {
  expect(served(1)).toEqual([null]);
});

test("a lane that is alone is always next", () => {
  expect(served(40, "low")).toEqual(times(40, "low"));
  expect(served(40, "high")).toEqual(times(40, "high"));
});

test("what is more urgent goes first, and one from below after every sixteen", () => {
  const turn = [...times(16, "high"), "work"];
  expect(served(34, "high", "work")).toEqual([...turn, ...turn]);
  expect(served(17, "work", "low")).toEqual([...times(16, "work"), "low"]);
});

test("among three, the lowest has one turn in 289", () => {
  const order = served(289 * 2, "high", "work", "low");
  const count = (lane: Lane) => order.filter((one) => one === lane).length;
  expect([count("high"), count("work"), count("low")]).toEqual([544, 32, 2]);
});
