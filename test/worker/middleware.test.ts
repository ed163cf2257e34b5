import { describe, expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import { NonRetryableError } from "../../src/worker/errors.js";
import type { Middleware } from "../../src/worker/middleware.js";
import { Bench, RUN_ID } from "./support.js";

const noting =
  (seen: string[], name: string): Middleware =>
  async (job, next) => {
    seen.push(`${name} ${job.runId}`);
    try {
      const result = await next();
      seen.push(`${name} got ${result}`);
      return result;
    } catch (error) {
      seen.push(`${name} caught ${(error as Error).message}`);
      throw error;
    }
  };

describe("middleware", () => {
  test("is around the handler, the first one outermost, and sees what it returns", async () => {
    const bench = new Bench();
    const seen: string[] = [];
    const middleware = [noting(seen, "a"), noting(seen, "b")];
    await bench.start(
      () => {
        seen.push("handler");
        return 7;
      },
      { middleware },
    );
    bench.deliver();
    await bench.journal.until("ack");
    expect(seen).toEqual([`a ${RUN_ID}`, `b ${RUN_ID}`, "handler", "b got 7", "a got 7"]);
    expect(bench.dataOf("succeeded")).toMatchObject({ result: 7 });
  });

  test("sees what it throws, also at once, and its failure", async () => {
    const bench = new Bench();
    const seen: string[] = [];
    const handler = () => {
      throw new NonRetryableError("no");
    };
    await bench.start(handler, { middleware: [noting(seen, "a")] });
    bench.deliver();
    await bench.journal.until("term: not retryable");
    expect(seen).toEqual([`a ${RUN_ID}`, "a caught no"]);
  });

  test("decides on the outcome", async () => {
    const bench = new Bench();
    const rescue: Middleware = async (_job, next) => next().catch(() => "rescued");
    const handler = () => Promise.reject(new Error("no"));
    await bench.start(handler, { middleware: [rescue] });
    bench.deliver();
    await bench.journal.until("ack");
    expect(bench.dataOf("succeeded")).toMatchObject({ result: "rescued" });
  });

  test("need not call the handler, and cannot call it twice", async () => {
    const bench = new Bench();
    let calls = 0;
    const twice: Middleware = async (_job, next) => {
      await next();
      return next();
    };
    await bench.start(() => calls++, { middleware: [twice] });
    bench.deliver();
    await bench.journal.until("nak 1000");
    expect(calls).toBe(1);
    expect(bench.dataOf("retried")).toMatchObject({ error: "a middleware called next() a second time" });
  });

  test("has the payload's type", async () => {
    const bench = new Bench();
    const schema = z.object({ to: z.string() });
    const middleware: Middleware<{ to: string }>[] = [
      (job, next) => {
        expectTypeOf(job.payload.to).toBeString();
        return next();
      },
    ];
    await bench.start(({ payload }) => payload.to, { schema, middleware });
    bench.deliver({ payload: { to: "a" } });
    await bench.journal.until("ack");
    expect(bench.dataOf("succeeded")).toMatchObject({ result: "a" });
  });

  test("that is none is refused", async () => {
    const bench = new Bench();
    const start = async () => bench.start(() => {}, { middleware: [1] as never });
    await expect(start()).rejects.toThrow(/worker options: middleware\[0\]: expected a function/);
  });
});
