import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Heap } from "../../src/core/heap.js";

const numbers = () => new Heap<number>((a, b) => a < b);

function drained(heap: Heap<number>): number[] {
  const items: number[] = [];
  while (heap.size > 0) items.push(heap.pop() as number);
  return items;
}

describe("heap", () => {
  it("is empty at first and when it is drained", () => {
    const heap = numbers();
    expect([heap.size, heap.peek(), heap.pop()]).toEqual([0, undefined, undefined]);
    heap.push(1);
    expect([heap.pop(), heap.pop(), heap.size]).toEqual([1, undefined, 0]);
  });

  it("gives items in order", () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), (items) => {
        const heap = numbers();
        for (const item of items) heap.push(item);
        expect(heap.peek()).toBe(items.length === 0 ? undefined : Math.min(...items));
        expect(drained(heap)).toEqual([...items].sort((a, b) => a - b));
      }),
    );
  });

  it("replaces the smallest as pop and push would", () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 1 }), fc.array(fc.integer()), (items, others) => {
        const [replaced, popped] = [numbers(), numbers()];
        for (const item of items) {
          replaced.push(item);
          popped.push(item);
        }
        for (const other of others) {
          replaced.replace(other);
          popped.pop();
          popped.push(other);
          expect(replaced.peek()).toBe(popped.peek());
        }
        expect(drained(replaced)).toEqual(drained(popped));
      }),
    );
  });
});

describe("counting from the top", () => {
  const heapOf = (items: readonly number[]) => {
    const heap = new Heap<number>((a, b) => a < b);
    for (const item of items) heap.push(item);
    return heap;
  };

  it("counts what is not after an item, as filtering would", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50)), fc.nat(50), (items, last) => {
        const expected = items.filter((item) => item <= last).length;
        expect(heapOf(items).countFirst((item) => item <= last, 1_000)).toBe(expected);
      }),
    );
  });

  it("looks no further than it has to", () => {
    const heap = heapOf(Array.from({ length: 1_000 }, (_, i) => i));
    let looks = 0;
    const isSmall = (item: number) => {
      looks++;
      return item < 10;
    };
    expect(heap.countFirst(isSmall, 1_000)).toBe(10);
    expect(looks).toBeLessThanOrEqual(21);
    expect(heap.countFirst(() => true, 5)).toBe(5);
  });
});
