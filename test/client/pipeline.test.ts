import { describe, expect, test } from "vitest";
import { pipeline } from "../../src/client/pipeline.js";

/** Work that ends when the test says so. */
function manualWork() {
  const ends = new Map<number, () => void>();
  const started: number[] = [];
  const start = (item: number): Promise<string> => {
    started.push(item);
    return new Promise((resolve) => ends.set(item, () => resolve(`done ${item}`)));
  };
  return { started, start, end: (item: number) => ends.get(item)?.() };
}

const turns = async (): Promise<void> => {
  for (let i = 0; i < 50; i++) await Promise.resolve();
};

async function all<T>(results: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const result of results) list.push(result);
  return list;
}

/** Of a source that gives 1 and 2, and fails then. */
async function expectFailureLast(source: Iterable<number> | AsyncIterable<number>): Promise<void> {
  const results = pipeline(source, 10, async (item) => item);
  expect(await results.next()).toEqual({ done: false, value: 1 });
  expect(await results.next()).toEqual({ done: false, value: 2 });
  await expect(results.next()).rejects.toThrow("line 3 is bad");
  expect(await results.next()).toEqual({ done: true, value: undefined });
}

test("no more than the window is started, and results come in the order of the items", async () => {
  const work = manualWork();
  const results = pipeline([1, 2, 3, 4], 2, work.start);
  const first = results.next();
  await turns();
  expect(work.started).toEqual([1, 2]);
  work.end(2);
  await turns();
  expect(work.started).toEqual([1, 2]);
  work.end(1);
  expect(await first).toEqual({ done: false, value: "done 1" });
  expect(await results.next()).toEqual({ done: false, value: "done 2" });
  const third = results.next();
  await turns();
  expect(work.started).toEqual([1, 2, 3, 4]);
  work.end(3);
  work.end(4);
  expect(await third).toEqual({ done: false, value: "done 3" });
  expect(await all(results)).toEqual(["done 4"]);
});

test("items that are there are started in crowds: when half of the window is free", async () => {
  const work = manualWork();
  const results = pipeline([1, 2, 3, 4, 5, 6, 7, 8], 4, work.start);
  const first = results.next();
  expect(work.started).toEqual([1, 2, 3, 4]);
  for (const item of [1, 2, 3]) work.end(item);
  await first;
  const second = results.next();
  expect(work.started).toEqual([1, 2, 3, 4]);
  await second;
  const third = results.next();
  expect(work.started).toEqual([1, 2, 3, 4, 5, 6]);
  await third;
});

test("a result does not wait for a slow source", async () => {
  async function* slow(): AsyncGenerator<number> {
    yield 1;
    await new Promise(() => {});
  }
  const results = pipeline(slow(), 10, async (item) => item * 10);
  expect(await results.next()).toEqual({ done: false, value: 10 });
});

test("a failing source is told after the results of what was started", async () => {
  function* failing(): Generator<number> {
    yield 1;
    yield 2;
    throw new Error("line 3 is bad");
  }
  await expectFailureLast(failing());
});

test("who stops reading ends the source", async () => {
  let ended = false;
  function* source(): Generator<number> {
    try {
      for (let i = 0; ; i++) yield i;
    } finally {
      ended = true;
    }
  }
  for await (const _ of pipeline(source(), 3, async (item) => item)) break;
  await turns();
  expect(ended).toBe(true);
});

test("an empty source gives nothing", async () => {
  expect(await all(pipeline([], 3, async (item) => item))).toEqual([]);
});

describe("a stream", () => {
  const loopTurns = async (): Promise<void> => {
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
  };

  /** Counts up for ever; tells how far it is, and whether it was ended. */
  function counting() {
    const state = { given: 0, ended: false };
    async function* source(): AsyncGenerator<number> {
      try {
        for (;;) yield ++state.given;
      } finally {
        state.ended = true;
      }
    }
    return { state, source: source() };
  }

  test("has what comes together started together: a connection sends that in one go", async () => {
    const sent: number[][] = [];
    let outbound: number[] = [];
    const send = async (item: number): Promise<number> => {
      if (outbound.push(item) === 1)
        queueMicrotask(() => {
          sent.push(outbound);
          outbound = [];
        });
      return item;
    };
    async function* source(): AsyncGenerator<number> {
      for (let item = 1; item <= 6; item++) yield item;
    }
    expect(await all(pipeline(source(), 8, send))).toEqual([1, 2, 3, 4, 5, 6]);
    expect(sent).toEqual([
      [1, 2, 3, 4],
      [5, 6],
    ]);
  });

  test("is read no further than there is room for, but for one item", async () => {
    const { state, source } = counting();
    const work = manualWork();
    const results = pipeline(source, 4, work.start);
    const first = results.next();
    await loopTurns();
    expect(work.started).toEqual([1, 2, 3, 4]);
    expect(state.given).toBeLessThanOrEqual(5);
    work.end(1);
    expect(await first).toEqual({ done: false, value: "done 1" });
    await loopTurns();
    expect(state.given).toBeLessThanOrEqual(5);
  });

  test("is ended when nobody reads on", async () => {
    const { state, source } = counting();
    for await (const _ of pipeline(source, 4, async (item) => item)) break;
    await loopTurns();
    expect(state.ended).toBe(true);
    const { given } = state;
    await loopTurns();
    expect(state.given).toBe(given);
  });

  test("that fails is told of after the results of what was started", async () => {
    async function* failing(): AsyncGenerator<number> {
      yield 1;
      yield 2;
      throw new Error("line 3 is bad");
    }
    await expectFailureLast(failing());
  });
});
