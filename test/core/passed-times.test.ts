import { expect, it } from "vitest";
import { succeedingSpec } from "../../src/core/passed-times.js";
import type { AtSpec } from "../../src/core/schedule.js";
import { composite } from "./time/given.js";

const passed: AtSpec = { kind: "at", at: 1_000, madeAt: 9_000 };

it("A passed time of a new schedule runs when it was made", () => {
  expect(succeedingSpec(passed, null)).toEqual(passed);
});

it("One that was made before does not run again when the schedule is changed", () => {
  const later = composite({ include: [{ ...passed, madeAt: 50_000 }], endAt: 99_000 });
  const existing = { spec: passed, deleted: false };
  expect(succeedingSpec(later, existing)).toEqual(composite({ include: [passed], endAt: 99_000 }));
});

it("One that is new to a known id waits until its holder knows of it", () => {
  const other: AtSpec = { kind: "at", at: 2_000, madeAt: 50_000 };
  const waiting = { ...other, madeAt: 55_000 };
  expect(succeedingSpec(other, { spec: passed, deleted: false })).toEqual(waiting);
  expect(succeedingSpec(other, { spec: other, deleted: true })).toEqual(waiting);
});
