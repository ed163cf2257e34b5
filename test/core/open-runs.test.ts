import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type OpenRun, OpenRuns, ownerOf } from "../../src/core/open-runs.js";
import { Turns } from "../../src/core/turns.js";

function run(runId: string, more: Partial<OpenRun> = {}): OpenRun {
  const none = { trigger: null, fireTime: null, startedAt: null, queuedAt: 0, seq: 1, nextAt: null };
  return { runId, scheduleId: null, queue: "mail", state: "queued", ...none, ...more };
}

const idsOf = (runs: OpenRuns) => [...runs.values()].map(({ runId }) => runId);

function filled(most: number, count: number, more: Partial<OpenRun> = {}): OpenRuns {
  const runs = new OpenRuns(most);
  for (let i = 0; i < count; i++) runs.put(run(`mail-${i}`, more));
  return runs;
}

describe("open runs", () => {
  it("of one owner are the oldest, and all that have begun", () => {
    const runs = filled(3, 5);
    runs.put(run("begun", { startedAt: 1 }));
    expect(idsOf(runs)).toEqual(["mail-0", "mail-1", "mail-2", "begun"]);
  });

  it("of others find room, until each has its share", () => {
    const runs = filled(4, 9);
    for (const id of ["a", "b", "c"]) runs.put(run(id, { scheduleId: "nightly" }));
    runs.put(run("files", { queue: "files" }));
    runs.put(run("mail-9"));
    expect(idsOf(runs)).toEqual(["mail-0", "a", "b", "files"]);
  });

  it("make room by beginning, and by being over", () => {
    const runs = filled(2, 2);
    runs.put(run("mail-0", { startedAt: 1 }));
    runs.put(run("mail-3"));
    runs.delete("mail-1");
    runs.put(run("mail-4"));
    runs.put(run("mail-5"));
    expect(idsOf(runs)).toEqual(["mail-0", "mail-3", "mail-4"]);
  });

  it("are told of again and stay where they are", () => {
    const runs = filled(2, 2);
    runs.put(run("mail-0", { seq: 7 }));
    expect(runs.get("mail-0")).toMatchObject({ seq: 7 });
    expect(idsOf(runs)).toEqual(["mail-0", "mail-1"]);
  });

  it("are never more than may wait, whatever comes and goes, and nobody is without one for another's sake", () => {
    const step = fc.record({
      id: fc.nat(30),
      owner: fc.nat(3),
      what: fc.constantFrom("put", "put", "put", "begin", "delete"),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const runs = new OpenRuns(8);
        for (const { id, owner, what } of steps) {
          const one = run(`${owner}-${id}`, { queue: `q${owner}` });
          if (what === "delete") runs.delete(one.runId);
          else runs.put(what === "begin" ? { ...one, startedAt: 1 } : one);
          if (what !== "delete") {
            const own = [...runs.values()].filter((other) => ownerOf(other) === ownerOf(one));
            expect(own.length).toBeGreaterThan(0);
          }
          const waiting = [...runs.values()].filter(({ startedAt }) => startedAt === null);
          expect(waiting.length).toBeLessThanOrEqual(8);
        }
      }),
    );
  });
});

describe("turns", () => {
  const take = (turns: Turns, most: number, ...items: string[]) =>
    turns.take(items, (item) => item.charAt(0), most).join(" ");

  it("give everybody one before anybody has a second", () => {
    expect(take(new Turns(), 5, "a1", "a2", "a3", "a4", "b1", "c1", "c2")).toBe("a1 b1 c1 a2 c2");
    expect(take(new Turns(), 9, "a1", "b1", "a2")).toBe("a1 b1 a2");
    expect(take(new Turns(), 9)).toBe("");
  });

  it("go round, whoever comes and goes", () => {
    const turns = new Turns();
    const all = ["a1", "b1", "c1", "d1", "e1"];
    expect(take(turns, 2, ...all)).toBe("a1 b1");
    expect(take(turns, 2, "a1", "c1", "d1", "e1")).toBe("c1 d1");
    expect(take(turns, 2, ...all)).toBe("e1 a1");
    expect(take(turns, 2, ...all)).toBe("b1 c1");
  });
});
