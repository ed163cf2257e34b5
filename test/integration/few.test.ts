import { expect, test } from "vitest";
import { Few } from "../../src/nats/few.js";

test("no more than a few run at once, in the order of the calls, and one that fails makes room as well", async () => {
  const few = new Few(2);
  const ends: (() => void)[] = [];
  const begun: number[] = [];
  const call = (n: number) =>
    few.run(async () => {
      begun.push(n);
      await new Promise<void>((resolve) => ends.push(resolve));
      if (n === 1) throw new Error("one failed");
      return n;
    });
  const results = [1, 2, 3, 4].map(call);
  await Promise.resolve();
  expect(begun).toEqual([1, 2]);
  ends[0]?.();
  await expect(results[0]).rejects.toThrow("one failed");
  expect(begun).toEqual([1, 2, 3]);
  ends[2]?.();
  expect(await results[2]).toBe(3);
  for (const end of ends) end();
  expect(await Promise.all([results[1], results[3]])).toEqual([2, 4]);
});
