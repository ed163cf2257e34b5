import { describe, expect, it } from "vitest";
import { Agenda, type PlanLimits } from "../../src/core/agenda.js";
import type { LeaseRecord } from "../../src/core/lease.js";
import type { Schedule } from "../../src/core/schedule.js";
import { compiled, every, lease } from "./given.js";

const UNLIMITED: PlanLimits = { fire: 4_096, reports: 512, slots: 20_000 };
const HOUR = 3_600_000;
const NOW = 500_000 * HOUR;
/** An outage of an hour. */
const record = lease(NOW - HOUR);

function agendaOf(more: Partial<Schedule> = {}, from: LeaseRecord = record): Agenda {
  const agenda = new Agenda();
  const each = compiled("a", every(1_000), more);
  agenda.inherit(from.backlog.map((range) => ({ range, compiled: each })));
  agenda.put(each, from);
  return agenda;
}

const tick = (agenda: Agenda, now: number, limits: Partial<PlanLimits> = {}) =>
  agenda.plan(now, now + 250, 7, lease(now - 1_000).cursor, { ...UNLIMITED, ...limits });

const late = (agenda: Agenda, now: number) =>
  tick(agenda, now).fire.filter(({ catchUp }) => catchUp === true);

describe("catching up", () => {
  it("decides all misfires at once, fires what is due, and one of them", () => {
    const agenda = agendaOf();
    const { fire, reports, cursor } = agenda.plan(NOW, NOW + 250, 7, record.cursor, UNLIMITED);
    expect(reports).toEqual([]);
    expect(cursor.time).toBe(NOW + 250);
    expect(fire.filter(({ catchUp }) => catchUp !== true)).toHaveLength(60);
    expect(fire.filter(({ catchUp }) => catchUp === true)).toMatchObject([{ slot: NOW - HOUR + 1_000 }]);
    expect(agenda.backlog).toEqual([
      { scheduleId: "a", revision: 1, after: NOW - HOUR + 1_000, until: NOW - 60_000 },
    ]);
  });

  it("goes on at the rate, in order, and no slot is passed over", () => {
    const agenda = agendaOf({ catchUpRate: 10 });
    const slots: number[] = [];
    for (let ms = 0; ms <= 10_000; ms += 200) slots.push(...late(agenda, NOW + ms).map(({ slot }) => slot));
    expect(slots).toEqual(slots.map((_, index) => NOW - HOUR + (index + 1) * 1_000));
    expect(slots).toHaveLength(101);
  });

  it("is inherited: a successor goes on where the record says", () => {
    const agenda = agendaOf();
    late(agenda, NOW);
    late(agenda, NOW + 1_000);
    const from = lease(NOW, { backlog: agenda.backlog });
    const successor = agendaOf({}, from);
    expect(late(successor, NOW + 2_000)[0]?.slot).toBe((from.backlog[0]?.after ?? 0) + 1_000);
  });

  it("takes no slot beyond its end, where a changed calendar has taken the end away, and says so", () => {
    const from = lease(NOW, {
      backlog: [{ scheduleId: "a", revision: 1, after: NOW - 1_500, until: NOW - 500 }],
    });
    const agenda = new Agenda([{ scheduleId: "a", countsFrom: 0, fired: 2 }]);
    agenda.inherit(from.backlog.map((range) => ({ range, compiled: compiled("a", every(10_000)) })));
    const { fire, reports } = tick(agenda, NOW + 20_000);
    expect(fire).toEqual([]);
    expect(agenda.backlog).toEqual([]);
    expect(reports).toMatchObject([{ scheduleId: "a", outcome: "missed", to: NOW - 500, count: 1 }]);
    expect(agenda.counts).toMatchObject([{ fired: 1 }]);
  });

  it("saves no rate up: a pause of the process is no stampede", () => {
    const agenda = agendaOf({ catchUpRate: 10 });
    late(agenda, NOW);
    expect(late(agenda, NOW + 50_000).length).toBeLessThanOrEqual(5);
  });

  it("waits for no clock that was set back, and is not in haste with one that was set forward", () => {
    const agenda = agendaOf({ catchUpRate: 10 });
    late(agenda, NOW);
    expect(agenda.untilCatchUp(NOW - HOUR / 2)).toBe(0);
    expect(late(agenda, NOW - HOUR / 2).length).toBeLessThanOrEqual(1);
    expect(late(agenda, NOW - HOUR / 2 + 200).length).toBeGreaterThanOrEqual(1);
  });

  it("ends when the schedule is paused or deleted, and says so", () => {
    for (const [change, reason] of [
      [{ paused: true }, "paused"],
      [{ deleted: true }, "deleted"],
    ] as const) {
      const agenda = agendaOf();
      late(agenda, NOW);
      const [range] = agenda.backlog;
      agenda.put(compiled("a", every(1_000), { revision: 2, ...change }), lease(NOW));
      const { reports } = tick(agenda, NOW + 1_000);
      expect(agenda.backlog).toEqual([]);
      const count = ((range?.until ?? 0) - (range?.after ?? 0)) / 1_000;
      expect(reports).toMatchObject([{ outcome: "skipped", reason, count, to: range?.until }]);
    }
  });

  it("leaves a change of the times alone: what was decided was decided", () => {
    const agenda = agendaOf();
    late(agenda, NOW);
    const before = agenda.backlog;
    agenda.put(compiled("a", every(7_000), { revision: 2 }), lease(NOW));
    expect(agenda.backlog).toEqual(before);
    expect(late(agenda, NOW + 1_000)[0]).toMatchObject({ revision: 1 });
  });
});

describe("a clock that was set back by hours", () => {
  it("has what is new decided up to the cursor, without filling the record, and fires it when it is due", () => {
    const agenda = new Agenda();
    const ahead = lease(NOW + 2 * HOUR);
    agenda.put(
      compiled("new", every(1_000), { revision: 101, effectiveFrom: NOW, catchUpRate: 1_000 }),
      ahead,
    );
    const { fire } = agenda.plan(NOW, NOW + 250, 7, ahead.cursor, { ...UNLIMITED, fire: 10 });
    expect(fire).toHaveLength(10);
    expect(agenda.backlog).toHaveLength(1);
    const slots = fire.map(({ slot }) => slot);
    for (let ms = 0; ms <= 20_000; ms += 200) {
      const { fire: due } = agenda.plan(NOW + ms, NOW + ms + 250, 7, ahead.cursor, UNLIMITED);
      expect(due.every(({ slot, catchUp }) => slot <= NOW + ms + 250 && catchUp === undefined)).toBe(true);
      slots.push(...due.map(({ slot }) => slot));
    }
    expect(slots).toEqual(Array.from({ length: 20 }, (_, index) => NOW + (index + 1) * 1_000));
  });

  it("fires nothing twice that was fired before", () => {
    const agenda = agendaOf({}, lease(NOW));
    expect(tick(agenda, NOW - 2 * HOUR).fire).toEqual([]);
    expect(agenda.nextTime()).toBe(NOW + 1_000);
  });
});
