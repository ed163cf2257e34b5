import { describe, expect, it } from "vitest";
import { Agenda, type PlanLimits } from "../../src/core/agenda.js";
import type { Schedule } from "../../src/core/schedule.js";
import { compiled, every, lease } from "./given.js";

const UNLIMITED: PlanLimits = { fire: 1_000, reports: 1_000, slots: 1_000 };
const NOW = 10_000_000;
const record = lease(NOW);

function tick(agenda: Agenda, ms: number) {
  const { fire, reports } = agenda.plan(NOW + ms, NOW + ms, 7, record.cursor, UNLIMITED);
  return { fired: fire.map(({ slot }) => slot - NOW), reports };
}

function agendaOf(more: Partial<Schedule>, counts = record.counts): Agenda {
  const agenda = new Agenda(counts);
  agenda.put(compiled("a", every(1_000), more), record);
  return agenda;
}

describe("a limit of runs", () => {
  it("counts fired slots, and skips the rest", () => {
    const agenda = agendaOf({ maxRuns: 2 });
    const { fired, reports } = tick(agenda, 5_000);
    expect(fired).toEqual([1_000, 2_000]);
    expect(reports).toMatchObject([{ outcome: "skipped", reason: "maxRuns", count: 3, from: NOW + 3_000 }]);
    expect(agenda.counts).toEqual([{ scheduleId: "a", countsFrom: 0, fired: 2 }]);
    expect(agenda.exhausted()).toMatchObject([{ id: "a" }]);
  });

  it("goes on in the next term where the record says", () => {
    const agenda = agendaOf({ maxRuns: 3 }, [{ scheduleId: "a", countsFrom: 0, fired: 2 }]);
    expect(tick(agenda, 5_000).fired).toEqual([1_000]);
  });

  it("does not count what was found not to be fired", () => {
    const agenda = agendaOf({ maxRuns: 2 });
    tick(agenda, 3_000);
    agenda.uncount({ scheduleId: "a", slot: NOW + 2_000, revision: 1, firstTerm: 7 });
    expect(tick(agenda, 5_000).fired).toEqual([4_000]);
  });

  it("begins anew when the definition says so, and forgets what needs no count", () => {
    const counts = [{ scheduleId: "a", countsFrom: 0, fired: 2 }];
    expect(tick(agendaOf({ maxRuns: 2, countsFrom: NOW + 1_500 }, counts), 9_000).fired).toEqual([
      1_000, 2_000, 3_000,
    ]);
    expect(agendaOf({ maxRuns: 0 }, counts).counts).toEqual([]);
    expect(agendaOf({ maxRuns: 2, deleted: true }, counts).counts).toEqual([]);
    expect(agendaOf({ maxRuns: 2, paused: true, pausedBy: "max-runs" }, counts).counts).toEqual([]);
    expect(agendaOf({ maxRuns: 2, paused: true }, counts).counts).toEqual(counts);
  });
});

describe("a pause until a time", () => {
  it("ends by itself, and makes up for nothing", () => {
    const agenda = agendaOf({ paused: true, pausedUntil: NOW + 3_000 });
    expect(agenda.nextTime()).toBe(NOW + 3_000);
    expect(tick(agenda, 4_500)).toEqual({ fired: [3_000, 4_000], reports: [] });
  });

  it("that has ended holds nothing back", () => {
    expect(tick(agendaOf({ paused: true, pausedUntil: NOW - 5 }), 1_000).fired).toEqual([1_000]);
  });

  it("without an end lasts", () => {
    expect(agendaOf({ paused: true }).nextTime()).toBeNull();
  });
});

describe("a start deadline", () => {
  it("expires what was decided too late", () => {
    const { fired, reports } = tick(agendaOf({ startDeadlineMs: 1_500 }), 4_000);
    expect(fired).toEqual([3_000, 4_000]);
    expect(reports).toMatchObject([{ outcome: "expired", reason: "start deadline", count: 2 }]);
  });
});
