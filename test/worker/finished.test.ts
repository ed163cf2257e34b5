/** What a worker does with a job that it has done and gets again, as after a kill of the server. */
import { expect, test } from "vitest";
import { headers as h } from "../../src/protocol/headers.js";
import { Bench } from "./support.js";

const FIRST = { seq: 7, headers: { [h.runId]: "a" }, payload: 1 };

async function done() {
  const bench = new Bench();
  const worker = await bench.start(() => bench.journal.add("handler"));
  bench.deliver(FIRST);
  await bench.journal.until("ack");
  await bench.idle();
  const { storedAt } = bench.delivery(FIRST);
  const inPlaceOf = (seq: number, at: number) => ({ [h.runId]: "a", [h.inPlaceOf]: `${seq},${at}` });
  const handled = () => bench.done.filter((line) => line === "handler").length;
  return { bench, worker, storedAt, inPlaceOf, handled };
}

test("it is only acknowledged: the same message, one in its place, and one in the place of that", async () => {
  const { bench, worker, storedAt, inPlaceOf, handled } = await done();
  bench.deliver({ ...FIRST, attempt: 2 });
  bench.deliver({ ...FIRST, seq: 20, headers: inPlaceOf(7, storedAt) });
  bench.deliver({ ...FIRST, seq: 30, headers: inPlaceOf(20, storedAt) });
  await bench.journal.until("ack", 4);
  expect(handled()).toBe(1);
  await worker.stop();
});

test("one that was put in the place of another, and done, is only acknowledged when another takes that place", async () => {
  const { bench, worker, storedAt, inPlaceOf, handled } = await done();
  bench.deliver({ ...FIRST, seq: 20, headers: inPlaceOf(8, storedAt) });
  await bench.journal.until("ack", 2);
  bench.deliver({ ...FIRST, seq: 30, headers: inPlaceOf(8, storedAt) });
  await bench.journal.until("ack", 3);
  expect(handled()).toBe(2);
  await worker.stop();
});

test("it is done where the place was another job's", async () => {
  const { bench, worker, storedAt, inPlaceOf, handled } = await done();
  bench.deliver({ ...FIRST, seq: 20, headers: inPlaceOf(7, storedAt - 1) });
  bench.deliver({ ...FIRST, seq: 21, headers: inPlaceOf(8, storedAt) });
  bench.deliver({ ...FIRST, seq: 22, headers: { [h.runId]: "a", [h.inPlaceOf]: "seven" } });
  await bench.journal.until("ack", 4);
  expect(handled()).toBe(4);
  await worker.stop();
});
