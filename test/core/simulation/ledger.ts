/** Keeps the books of a simulation: what was decided, what was stored, and what should have been. */
import {
  type Backlog,
  type Cursor,
  isAfter,
  type LeaseRecord,
  type Report,
} from "../../../src/core/lease.js";
import type { Instant, Schedule } from "../../../src/core/schedule.js";
import { runIdOf } from "../../../src/protocol/names.js";
import { timesOf } from "../given.js";

const OVERLAP = "overlap";
const LEFT_OUT = ["paused", "deleted"];

export class Ledger {
  /** Decisions by run id: how often a slot was decided, and how. */
  readonly #decided = new Map<string, "fire" | "not fired">();
  /** Messages stored by run id. */
  readonly #stored = new Map<string, number>();
  /**
   * From when each id was first decided. A cursor that is catching up may lie before it; an update in between
   * leaves open whether it takes the slots from there.
   */
  readonly #begun = new Map<string, Instant>();
  readonly #overlapped = new Set<string>();
  readonly #problems: string[] = [];

  get problems(): readonly string[] {
    return this.#problems;
  }

  get fired(): number {
    return this.#stored.size;
  }

  onStored(runId: string | undefined): void {
    if (runId === undefined) return;
    const times = (this.#stored.get(runId) ?? 0) + 1;
    this.#stored.set(runId, times);
    if (times > 1) this.#problems.push(`${runId}: ${times} fire records`);
  }

  /** Holds a write of the lease against what it should have decided. */
  onCommit(before: LeaseRecord | null, after: LeaseRecord, definitions: readonly Schedule[]): void {
    if (before !== null && before.term !== after.term) return; // a takeover decides nothing
    if (before === null) return;
    const inFlight = new Set(runsIn(before, definitions));
    const told = new Set(before.reports.map(keyOf));
    const made = new Set<string>();
    const current = inForce(definitions, after.view);
    const toFire = runsIn(after, definitions);
    if (new Set(toFire).size < toFire.length) this.#problems.push("a slot is in the record twice");
    for (const runId of toFire) if (!inFlight.has(runId)) this.#decide(runId, "fire", made);
    for (const report of after.reports) {
      if (told.has(keyOf(report))) continue;
      if (report.reason === OVERLAP) this.#onOverlap(report, inFlight);
      else if (LEFT_OUT.includes(report.reason)) this.#onLeftOut(report, before, definitions);
      else
        for (const runId of runsOf(report, current.get(report.scheduleId)))
          this.#decide(runId, "not fired", made);
    }
    this.#compare(made, expected(before, after, current));
    for (const [id, definition] of current) {
      if (!isCovered(definition, before.view)) this.#begun.set(id, definition.effectiveFrom);
    }
    if (isAfter(before.cursor, after.cursor)) this.#problems.push("the cursor went back");
    if (before.view > after.view) this.#problems.push("the view went back");
  }

  /** What must hold when nothing is in flight any more. */
  close(): void {
    for (const [runId, decision] of this.#decided) {
      const stored = this.#stored.get(runId) ?? 0;
      const overlapped = this.#overlapped.has(runId) ? 1 : 0;
      if (decision === "fire" && stored + overlapped !== 1) {
        this.#problems.push(`${runId}: decided to fire, ${stored} fire records, skipped ${overlapped} times`);
      }
      if (decision === "not fired" && stored > 0) this.#problems.push(`${runId}: not fired, and fired`);
    }
    for (const runId of this.#stored.keys()) {
      if (!this.#decided.has(runId)) this.#problems.push(`${runId}: fired, and never decided`);
    }
  }

  /** In the user's words: a definition that never changed has a decision for every slot of its time. */
  closeDefinitions(definitions: readonly Schedule[], until: Instant): void {
    for (const definition of definitions) {
      const changed = definitions.filter(({ id }) => id === definition.id).length > 1;
      if (changed || definition.paused || definition.deleted) continue;
      const { id, maxRuns } = definition;
      const fired = [...this.#stored.keys()].filter((runId) => runId.startsWith(`${id}:`)).length;
      if (maxRuns > 0 && fired > maxRuns) this.#problems.push(`${id}: ${fired} runs of at most ${maxRuns}`);
      const times = timesOf(definition);
      for (let slot = times.next(definition.effectiveFrom); slot !== null && slot <= until; ) {
        const runId = runIdOf(definition.id, slot);
        if (!this.#decided.has(runId)) this.#problems.push(`${runId}: never decided`);
        slot = times.next(slot);
      }
    }
  }

  #decide(runId: string, decision: "fire" | "not fired", made: Set<string>): void {
    if (this.#decided.has(runId)) this.#problems.push(`${runId}: decided twice`);
    this.#decided.set(runId, decision);
    made.add(runId);
  }

  #onOverlap({ scheduleId, from }: Report, inFlight: ReadonlySet<string>): void {
    const runId = runIdOf(scheduleId, from);
    if (!inFlight.has(runId)) this.#problems.push(`${runId}: skipped, and was not in flight`);
    this.#overlapped.add(runId);
  }

  /** Of the backlog, because the schedule was paused or deleted. */
  #onLeftOut(report: Report, before: LeaseRecord, definitions: readonly Schedule[]): void {
    const { scheduleId, from, to } = report;
    const ranges = before.backlog.filter((range) => range.scheduleId === scheduleId);
    const slots = ranges.flatMap((range) => slotsOf(range, definitions));
    const dropped = slots.filter((slot) => slot >= from && slot <= to);
    if (dropped.length !== report.count)
      this.#problems.push(`${scheduleId}: left out ${report.count} slots, not ${dropped.length}`);
    for (const slot of dropped) this.#overlapped.add(runIdOf(scheduleId, slot));
  }

  #compare(made: ReadonlySet<string>, wanted: ReadonlyMap<string, Cursor>): void {
    for (const [runId, { time, id }] of wanted) {
      if (made.has(runId) || time <= (this.#begun.get(id) ?? 0)) continue;
      this.#problems.push(`${runId}: passed over`);
    }
    for (const runId of made) if (!wanted.has(runId)) this.#problems.push(`${runId}: nobody's slot`);
  }
}

/** Everything that the record holds to be fired: its entries, and its backlog. */
function runsIn({ firing, backlog }: LeaseRecord, definitions: readonly Schedule[]): string[] {
  const slots = backlog.flatMap((range) =>
    slotsOf(range, definitions).map((slot) => ({ scheduleId: range.scheduleId, slot })),
  );
  return [...firing, ...slots].map(({ scheduleId, slot }) => runIdOf(scheduleId, slot));
}

function slotsOf({ revision, after, until }: Backlog, definitions: readonly Schedule[]): Instant[] {
  const times = timesOf(definitions[revision - 1] as Schedule);
  const slots: Instant[] = [];
  for (let slot = times.next(after); slot !== null && slot <= until; slot = times.next(slot))
    slots.push(slot);
  return slots;
}

const keyOf = ({ scheduleId, outcome, reason, from, to }: Report): string =>
  `${scheduleId} ${outcome} ${reason} ${from} ${to}`;

/** The newest definition of each id, up to a view. */
function inForce(definitions: readonly Schedule[], view: number): ReadonlyMap<string, Schedule> {
  return new Map(definitions.filter(({ revision }) => revision <= view).map((each) => [each.id, each]));
}

/**
 * What a commit has to decide, straight from the rule: of the definitions up to the new view, those that the old
 * view covers go on after the old cursor, newer ones start from their effective-from time.
 */
function expected(
  before: LeaseRecord,
  after: LeaseRecord,
  current: ReadonlyMap<string, Schedule>,
): ReadonlyMap<string, Cursor> {
  const runs = new Map<string, Cursor>();
  for (const [id, definition] of current) {
    if (definition.paused || definition.deleted) continue;
    const covered = isCovered(definition, before.view);
    const times = timesOf(definition);
    const start = covered ? before.cursor.time - 1 : definition.effectiveFrom;
    for (let time = times.next(start); time !== null; time = times.next(time)) {
      if (isAfter({ time, id }, after.cursor)) break;
      if (!covered || isAfter({ time, id }, before.cursor)) runs.set(runIdOf(id, time), { time, id });
    }
  }
  return runs;
}

const isCovered = ({ firstRevision, revision }: Schedule, view: number): boolean =>
  (firstRevision || revision) <= view;

/** The slots that a report sums up: as many as it says, of the definition in force. */
function runsOf({ scheduleId, from, to, count }: Report, definition: Schedule | undefined): string[] {
  if (definition === undefined) return [];
  const found: string[] = [];
  const times = timesOf(definition);
  for (let slot = times.next(from - 1); slot !== null && slot <= to; slot = times.next(slot)) {
    found.push(runIdOf(scheduleId, slot));
  }
  return found.length === count ? found : [];
}
