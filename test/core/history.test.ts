import { expect, test } from "vitest";
import { actionOf, changesBetween } from "../../src/core/history.js";

test.each<[unknown, unknown, unknown[]]>([
  [{ a: 1 }, { a: 1 }, []],
  [{ a: 1 }, { a: 2 }, [{ field: "a", from: 1, to: 2 }]],
  [{}, { a: null }, [{ field: "a", to: null }]],
  [{ a: "x" }, {}, [{ field: "a", from: "x" }]],
  [{ r: { a: 1, b: 2 } }, { r: { a: 1, b: 3 } }, [{ field: "r.b", from: 2, to: 3 }]],
  [{ l: [1, { a: 2 }] }, { l: [1, { a: 3 }] }, [{ field: "l", from: [1, { a: 2 }], to: [1, { a: 3 }] }]],
  [
    { p: { a: 1 } },
    { p: "text" },
    [
      { field: "p.a", from: 1 },
      { field: "p", to: "text" },
    ],
  ],
  [
    { p: {} },
    { p: { a: 1 } },
    [
      { field: "p", from: {} },
      { field: "p.a", to: 1 },
    ],
  ],
  [{}, {}, []],
])("from %j to %j: %j", (before, after, changes) => {
  expect(changesBetween(before, after)).toEqual(changes);
});

const state = (paused: boolean, deleted = false) => ({ paused, deleted });

test.each([
  [null, state(false), true, "created"],
  [null, state(false), false, "changed"],
  [state(false), state(true), false, "paused"],
  [state(true), state(false), false, "resumed"],
  [state(true), state(true), false, "changed"],
  [state(true), state(true, true), false, "deleted"],
  [state(false, true), state(false), false, "created"],
])("from %j to %j (first: %j) it was %s", (before, after, isFirst, action) => {
  expect(actionOf(before, after, isFirst)).toBe(action);
});
