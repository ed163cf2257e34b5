import { expect, it } from "vitest";
import type { ReadOptions, ToldMessage } from "../../src/core/runs-reader.js";
import { until } from "../support/until.js";
import { job } from "./given.js";
import type { MakePorts } from "./ports.js";
import { describePort } from "./suite.js";

export function describeRunsReader(name: string, make: MakePorts): void {
  describePort(`reader of runs over ${name}`, make, (on) => {
    const tell = (runId: string, type: string) =>
      on().one.runs.append({ runId, type, msgId: `${runId}/${type}/7`, data: { type } });
    const read = async (options: ReadOptions): Promise<ToldMessage[]> => {
      const found: ToldMessage[] = [];
      await on().other.reader.read(options, (message) => found.push(message));
      return found;
    };

    it("has nothing at first", async () => {
      const { first, last } = await on().other.reader.bounds();
      expect(last).toBeLessThan(first);
      expect(await read({ from: 1, to: 100 })).toEqual([]);
    });

    it("reads a range in its order, and no more", async () => {
      for (const id of ["a", "b", "c", "d"]) await tell(id, "started");
      expect(await on().other.reader.bounds()).toEqual({ first: 1, last: 4 });
      const found = await read({ from: 2, to: 3 });
      expect(found.map(({ seq, subject }) => [seq, subject])).toEqual([
        [2, on().names.runEvent("b", "started")],
        [3, on().names.runEvent("c", "started")],
      ]);
      expect(found[0]?.headers["Nats-Msg-Id"]).toBe("b/started/7");
      expect(new TextDecoder().decode(found[0]?.body)).toBe('{"type":"started"}');
      expect(found[0]?.at).toBeGreaterThan(0);
    });

    it("takes every subject under which it is told what became of jobs", async () => {
      const { names } = on();
      await tell("a", "started");
      const ofServer = [
        ...names.fates("mail", "work"),
        names.acks("mail", "high"),
        names.terminations("mail", "low"),
      ];
      for (const subject of [...ofServer, names.ends("mail"), names.queued(names.jobsOf("mail"))])
        expect(await read({ from: 1, to: 1, since: 0, subject }), subject).toEqual([]);
    });

    it("knows whether anything but an end was told of a run before", async () => {
      const { reader } = on().other;
      await tell("b", "started");
      await tell("a", "succeeded");
      expect(await reader.isAnyBefore("a", 100)).toBe(false);
      await tell("a", "waiting");
      await tell("a", "started");
      expect(await reader.isAnyBefore("a", 3)).toBe(false);
      expect(await reader.isAnyBefore("a", 4)).toBe(true);
      expect(await reader.isAnyBefore("a", 100)).toBe(true);
      expect(await reader.isAnyBefore("c", 100)).toBe(false);
    });

    it("reads the events of one run, of a range, in their order", async () => {
      for (const type of ["waiting", "started", "log"]) await tell("a", type);
      await tell("b", "started");
      await on().one.runs.append({ runId: "a", type: "log", msgId: "a/log/8", data: {} });
      await tell("a", "succeeded");
      const seqs = async (from: number, to: number) =>
        (await read({ runId: "a", from, to })).map(({ seq }) => seq);
      expect(await seqs(1, 100)).toEqual([1, 2, 3, 5, 6]);
      expect(await seqs(3, 5)).toEqual([3, 5]);
      expect(await seqs(4, 4)).toEqual([]);
      expect(await read({ runId: "c", from: 1, to: 100 })).toEqual([]);
    });

    it("ends where the stream ends", async () => {
      await tell("a", "started");
      expect(await read({ from: 1, to: 50 })).toHaveLength(1);
      expect(await read({ from: 2, to: 50 })).toEqual([]);
    });

    it("reads the events of one run", async () => {
      for (const [id, type] of [
        ["a", "started"],
        ["b", "started"],
        ["a", "dead"],
        ["ab", "dead"],
      ] as const)
        await tell(id, type);
      const found = await read({ from: 1, to: 4, runId: "a" });
      expect(found.map(({ seq }) => seq)).toEqual([1, 3]);
      expect(await read({ from: 1, to: 2, runId: "a" })).toHaveLength(1);
      expect(await read({ from: 1, to: 4, runId: "nobody" })).toEqual([]);
    });

    it("reads what is told under some subjects, or since an instant", async () => {
      const { names, other } = on();
      for (const [id, type] of [
        ["a", "started"],
        ["b", "dead"],
        ["a", "dead"],
      ] as const)
        await tell(id, type);
      const range = { from: 1, to: 3 };
      const seqs = async (more: object) => (await read({ ...range, ...more })).map(({ seq }) => seq);
      expect(await seqs({ subject: names.failures })).toEqual([2, 3]);
      expect(await seqs({ subject: names.allRunEvents, from: 2 })).toEqual([2, 3]);
      expect(await seqs({ subject: names.allQueued })).toEqual([]);
      const [first] = await read(range);
      expect(await seqs({ since: (first?.at ?? 0) - 1_000 })).toEqual([1, 2, 3]);
      expect(await seqs({ since: (first?.at ?? 0) - 1_000, from: 2, subject: names.failures })).toEqual([
        2, 3,
      ]);
      const later = (await other.reader.bounds()).last + 1;
      expect(await seqs({ since: (first?.at ?? 0) + 60_000, to: later })).toEqual([]);
    });

    it("reads what the server tells of a job, with its place in WORK", async () => {
      const { names, one, other } = on();
      const stored = await one.work.publish(job(names, "x"));
      if (stored.kind !== "stored") throw new Error(stored.kind);
      await until(async () => (await other.reader.bounds()).last === 1);
      const [message] = await read({ from: 1, to: 1 });
      expect(message?.subject).toBe(names.queued(names.job("default", "x")));
      expect(message?.headers).toMatchObject({ "Punctual-Run-Id": "x", "Nats-Sequence": String(stored.seq) });
      expect(message?.body).toHaveLength(0);
    });

    it("reads thousands", async () => {
      await Promise.all(Array.from({ length: 5_000 }, (_, n) => tell(`r${n}`, "started")));
      const found = await read({ from: 1, to: 5_000 });
      expect(found.map(({ seq }) => seq)).toEqual(Array.from({ length: 5_000 }, (_, n) => n + 1));
    });
  });
}
