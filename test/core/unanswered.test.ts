import fc from "fast-check";
import { expect, test } from "vitest";
import { Unanswered } from "../../src/core/unanswered.js";

test("does what a map by numbers does, whatever the order of the answers", () => {
  const step = fc.oneof(
    fc.constant("add" as const),
    fc.record({ take: fc.nat(1_000) }),
    fc.record({ oldest: fc.nat(3) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const list = new Unanswered<{ name: string }>();
      const map = new Map<number, { name: string }>();
      let added = 0;
      for (const step of steps) {
        if (step === "add") {
          const item = { name: `item ${++added}` };
          expect(list.add(item)).toBe(added);
          map.set(added, item);
        } else {
          const number = "take" in step ? step.take % (added + 2) : ([...map.keys()][step.oldest] ?? 0);
          expect(list.take(number)).toBe(map.get(number));
          map.delete(number);
        }
        expect([...list.entries()]).toEqual([...map]);
        expect(list.size).toBe(map.size);
      }
    }),
  );
});

test("no other number finds anything", () => {
  const list = new Unanswered<object>();
  list.add({});
  for (const number of [0, 2, -1, Number.NaN]) expect(list.take(number)).toBeUndefined();
});

test("may be taken from while it is looked through", () => {
  const list = new Unanswered<{ n: number }>();
  for (let n = 1; n <= 10; n++) list.add({ n });
  const seen: number[] = [];
  for (const [number] of list.entries()) {
    seen.push(number);
    list.take(number);
  }
  expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect(list.size).toBe(0);
});
