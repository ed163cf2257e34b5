import { expect, it } from "vitest";
import { succeedingSpec } from "../../src/core/passed-times.js";
import type { AtSpec } from "../../src/core/schedule.js";
import { composite } from "./time/given.js";

const passed: AtSpec = { kind: "at", at: 1_000, madeAt: 9_000 };

it("A passed time of a new schedule runs where the schedule begins", () => {
  expect(succeedingSpec(passed, null, 9_500)).toEqual({ ...passed, madeAt: 9_500 });
});

it("One that was made before does not run again when the schedule is changed", () => {
  const later = composite({ include: [{ ...passed, madeAt: 50_000 }], endAt: 99_000 });
  const existing = { spec: passed, deleted: false };
  expect(succeedingSpec(later, existing, 50_000)).toEqual(composite({ include: [passed], endAt: 99_000 }));
});

it("One that is new to a known id waits until its holder knows of it", () => {
  const other: AtSpec = { kind: "at", at: 2_000, madeAt: 50_000 };
  const waiting = { ...other, madeAt: 55_000 };
  expect(succeedingSpec(other, { spec: passed, deleted: false }, 50_000)).toEqual(waiting);
  expect(succeedingSpec(other, { spec: other, deleted: true }, 50_000)).toEqual(waiting);
});

it("Other times are left alone", () => {
  expect(succeedingSpec({ kind: "at", at: 1 }, null, 5)).toEqual({ kind: "at", at: 1 });
});
