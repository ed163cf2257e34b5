import { describe, expect, it } from "vitest";
import { Agenda, type Plan, type PlanLimits } from "../../src/core/agenda.js";
import { LAST_ID } from "../../src/core/lease.js";
import { compiled, every, lease, once } from "./given.js";

const UNLIMITED: PlanLimits = { fire: 1_000, reports: 1_000, slots: 1_000 };
const NOW = 10_000_000;
/** The record: everything up to `NOW` is decided. */
const record = lease(NOW);

const fired = (plan: Plan) => plan.fire.map(({ scheduleId, slot }) => `${scheduleId}@${slot - NOW}`);

function plan(agenda: Agenda, ms: number, limits: Partial<PlanLimits> = {}, cursor = record.cursor): Plan {
  return agenda.plan(NOW + ms, NOW + ms, 7, cursor, { ...UNLIMITED, ...limits });
}

describe("planning", () => {
  it("has nothing to do at first, and moves the cursor", () => {
    const agenda = new Agenda();
    expect(agenda.nextTime()).toBeNull();
    expect(plan(agenda, 50)).toEqual({
      fire: [],
      by: [],
      reports: [],
      cursor: { time: NOW + 50, id: LAST_ID },
    });
  });

  it("fires slots in order of time, then id, up to the horizon", () => {
    const agenda = new Agenda();
    agenda.put(compiled("b", every(1_000)), record);
    agenda.put(compiled("a", every(2_000)), record);
    agenda.put(compiled("c", once(NOW + 1_500)), record);
    expect(agenda.nextTime()).toBe(NOW + 1_000);
    expect(fired(plan(agenda, 999))).toEqual([]);
    expect(fired(plan(agenda, 2_000))).toEqual(["b@1000", "c@1500", "a@2000", "b@2000"]);
    expect(fired(plan(agenda, 2_000))).toEqual([]);
    expect(agenda.nextTime()).toBe(NOW + 3_000);
  });

  it("says which revision and term a run is fired from", () => {
    const agenda = new Agenda();
    agenda.put(compiled("a", every(1_000), { revision: 42 }), record);
    expect(plan(agenda, 1_000).fire).toEqual([
      { scheduleId: "a", slot: NOW + 1_000, revision: 42, firstTerm: 7 },
    ]);
  });

  it("does not move the cursor back when the clock is behind", () => {
    const agenda = new Agenda();
    agenda.put(compiled("a", every(1_000)), record);
    expect(plan(agenda, -5_000)).toEqual({ fire: [], by: [], reports: [], cursor: record.cursor });
  });

  it("sums up what is not fired, by schedule and reason", () => {
    const agenda = new Agenda();
    const far = lease(NOW);
    agenda.put(compiled("a", every(60_000), { misfire: "once" }), far);
    agenda.put(compiled("b", every(120_000), { misfire: "skip", catchUpWindowMs: 300_000 }), far);
    const made = plan(agenda, 600_000);
    const first = Math.ceil((NOW + 1) / 60_000) * 60_000;
    const reportOf = (id: string) => made.reports.filter(({ scheduleId }) => scheduleId === id);
    expect(reportOf("a")).toEqual([
      expect.objectContaining({ outcome: "skipped", reason: "misfire", from: first, count: 8 }),
    ]);
    expect(reportOf("b").map(({ outcome }) => outcome)).toEqual(["missed", "skipped"]);
    expect(made.fire.filter(({ scheduleId }) => scheduleId === "a")).toHaveLength(2);
  });
});

describe("limits of a plan", () => {
  it("cuts at the limit, also between slots of one instant, and goes on there", () => {
    const agenda = new Agenda();
    for (const id of ["a", "a-1", "a0", "b", "zz"]) agenda.put(compiled(id, once(NOW + 1_000)), record);
    const first = plan(agenda, 1_000, { fire: 2 });
    expect(fired(first)).toEqual(["a@1000", "a-1@1000"]);
    const successor = new Agenda();
    const after = lease(NOW, { cursor: first.cursor });
    for (const id of ["a", "a-1", "a0", "b", "zz"]) successor.put(compiled(id, once(NOW + 1_000)), after);
    expect(fired(plan(successor, 1_000, {}, first.cursor))).toEqual(["a0@1000", "b@1000", "zz@1000"]);
    expect(fired(plan(agenda, 1_000, {}, first.cursor))).toEqual(["a0@1000", "b@1000", "zz@1000"]);
  });

  it("counts reports and slots too", () => {
    const build = () => {
      const agenda = new Agenda();
      for (const id of ["a", "b", "c"]) agenda.put(compiled(id, once(NOW + 1), { misfire: "skip" }), record);
      return agenda;
    };
    expect(plan(build(), 100_000, { reports: 2 }).reports).toHaveLength(2);
    expect(plan(build(), 100_000, { slots: 1 }).reports).toHaveLength(1);
    const nothing = plan(build(), 100_000, { fire: 0 });
    expect(nothing).toMatchObject({ fire: [], reports: [], cursor: { time: NOW + 1 } });
    expect(nothing.cursor.id < "a").toBe(true);
  });

  it("always decides slots at or before the record's cursor: a cut there would pass them over", () => {
    const agenda = new Agenda();
    const late = { revision: 101, effectiveFrom: NOW - 3_500 };
    agenda.put(compiled("late", every(1_000), late), record);
    const made = plan(agenda, 1_000, { fire: 1 });
    expect(fired(made)).toEqual(["late@-3000"]);
    expect(agenda.backlog).toEqual([{ scheduleId: "late", revision: 101, after: NOW - 2_001, until: NOW }]);
    expect(made.cursor).toMatchObject({ time: NOW + 1_000 });
    expect(made.cursor.id < "late").toBe(true);
  });
});

describe("definitions that change", () => {
  it("go on after the cursor when the view covers them", () => {
    const agenda = new Agenda();
    agenda.put(compiled("a", every(1_000), { revision: 100, effectiveFrom: NOW - 5_000 }), record);
    expect(fired(plan(agenda, 1_000))).toEqual(["a@1000"]);
  });

  it("start from effective-from when they are newer than the view, before the cursor or after it", () => {
    const agenda = new Agenda();
    agenda.put(compiled("old", every(1_000), { revision: 101, effectiveFrom: NOW - 2_000 }), record);
    agenda.put(compiled("new", every(1_000), { revision: 102, effectiveFrom: NOW + 1_000 }), record);
    expect(fired(plan(agenda, 2_000))).toEqual(["old@-1000", "old@0", "old@1000", "new@2000", "old@2000"]);
  });

  it("never start before they were made, though the cursor of a shard that catches up may be older", () => {
    const agenda = new Agenda();
    agenda.put(compiled("a", every(1_000), { revision: 100, effectiveFrom: NOW + 3_000 }), record);
    expect(fired(plan(agenda, 4_000))).toEqual(["a@4000"]);
  });

  it("go on after the cursor when they are an update of one that the view covers", () => {
    const agenda = new Agenda();
    const update = { revision: 101, firstRevision: 50, effectiveFrom: NOW - 2_000 };
    agenda.put(compiled("a", every(1_000), update), record);
    expect(fired(plan(agenda, 1_000))).toEqual(["a@1000"]);
  });

  it("at the cursor's instant, only ids after the cursor's are open", () => {
    const cut = lease(NOW, { cursor: { time: NOW, id: "m" } });
    const agenda = new Agenda();
    for (const id of ["a", "m", "n"]) agenda.put(compiled(id, once(NOW)), cut);
    expect(fired(plan(agenda, 0, {}, cut.cursor))).toEqual(["n@0"]);
  });

  it("replace the one before, and leave nothing of it", () => {
    const agenda = new Agenda();
    agenda.put(compiled("a", every(1_000)), record);
    agenda.put(compiled("a", every(700, NOW % 700), { revision: 2 }), record);
    expect(plan(agenda, 1_400).fire.map(({ revision }) => revision)).toEqual([2, 2]);
    agenda.put(compiled("a", every(1_000), { revision: 3, paused: true }), record);
    expect(agenda.nextTime()).toBeNull();
    agenda.put(compiled("a", every(1_000), { revision: 4 }), record);
    agenda.put(compiled("a", every(1_000), { revision: 5, deleted: true }), record);
    expect(agenda.nextTime()).toBeNull();
  });

  it("can be removed", () => {
    const agenda = new Agenda();
    agenda.put(compiled("a", every(1_000)), record);
    agenda.put(compiled("b", once(NOW + 5_000)), record);
    agenda.remove("a");
    expect(agenda.nextTime()).toBe(NOW + 5_000);
    expect(fired(plan(agenda, 9_000))).toEqual(["b@5000"]);
    expect(agenda.nextTime()).toBeNull();
  });
});
