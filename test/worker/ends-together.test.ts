import { describe, expect, test } from "vitest";
import type { RunEnd } from "../../src/core/end-record.js";
import { headers as h } from "../../src/protocol/headers.js";
import { EndsTogether } from "../../src/worker/ends-together.js";
import { Bench, firedHeaders } from "./support.js";

const end = (seq: number, result?: unknown): RunEnd => ({
  runId: `job-${seq}`,
  seq,
  attempt: 1,
  durationMs: 1,
  result,
});

function told() {
  const records: number[][] = [];
  const alone: string[] = [];
  const ends = new EndsTogether(async (crowd) => void records.push(crowd.map(({ seq }) => seq)));
  const tell = (seq: number, result?: unknown) =>
    ends.tell(end(seq, result), async () => void alone.push(`job-${seq}`));
  return { records, alone, tell };
}

describe("ends of runs", () => {
  test("that come in one turn are one record", async () => {
    const { records, alone, tell } = told();
    await Promise.all([tell(1), tell(2), tell(3)]);
    await Promise.all([tell(4), tell(5)]);
    expect(records).toEqual([
      [1, 2, 3],
      [4, 5],
    ]);
    expect(alone).toEqual([]);
  });

  test("that come one by one are told one by one", async () => {
    const { records, alone, tell } = told();
    await tell(1);
    await tell(2);
    expect([records, alone]).toEqual([[], ["job-1", "job-2"]]);
  });

  test("are no more than 128 in a record", async () => {
    const { records, tell } = told();
    await Promise.all(Array.from({ length: 200 }, (_, i) => tell(i + 1)));
    expect(records.map((record) => record.length)).toEqual([128, 72]);
  });

  test("with a long result are told alone", async () => {
    const { records, alone, tell } = told();
    await Promise.all([tell(1), tell(2, "x".repeat(600)), tell(3, { sent: 3 })]);
    expect([records, alone]).toEqual([[[1, 3]], ["job-2"]]);
  });

  test("that cannot be stored are told to all who wait", async () => {
    const ends = new EndsTogether(() => Promise.reject(new Error("no")));
    const both = [1, 2].map((seq) => ends.tell(end(seq), async () => {}));
    const results = await Promise.allSettled(both);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  });
});

describe("a worker", () => {
  const job = (n: number) => ({ seq: n, key: `job-${n}`, headers: { [h.runId]: `job-${n}` } });

  test("acknowledges jobs that end together after their record is stored", async () => {
    const bench = new Bench();
    await bench.start(() => ({ sent: 1 }));
    for (const n of [1, 2, 3]) bench.deliver(job(n));
    await bench.journal.until("ack", 3);
    expect(bench.done).toEqual(["append 3 ends", "ack", "ack", "ack"]);
    expect(bench.ends.map(({ runId, seq, result }) => [runId, seq, result])).toEqual([
      ["job-1", 1, { sent: 1 }],
      ["job-2", 2, { sent: 1 }],
      ["job-3", 3, { sent: 1 }],
    ]);
  });

  test("tries a record again that is not stored, and acknowledges nothing before", async () => {
    const bench = new Bench();
    bench.broken.add("append 2 ends");
    await bench.start(() => {});
    for (const n of [1, 2]) bench.deliver(job(n));
    await bench.journal.until("append 2 ends failed");
    await bench.idle();
    expect(bench.done).toEqual(["append 2 ends failed"]);
    bench.broken.clear();
    bench.clock.advance(100);
    await bench.journal.until("ack", 2);
    expect(bench.done).toEqual(["append 2 ends failed", "append 2 ends", "ack", "ack"]);
  });

  test("tells an end that something rests upon as an event of its run", async () => {
    const bench = new Bench();
    await bench.start(() => {});
    bench.deliver({ seq: 1, key: "a", headers: { ...firedHeaders } });
    bench.deliver({ seq: 2, key: "b", headers: { [h.runId]: "job-2", [h.onSuccess]: "{}" } });
    bench.deliver(job(3));
    bench.deliver(job(4));
    await bench.journal.until("ack", 4);
    expect(bench.done.filter((line) => line.startsWith("append")).sort()).toEqual([
      "append 2 ends",
      "append succeeded",
      "append succeeded",
    ]);
  });
});
