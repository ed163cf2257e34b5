/** The one translation between what people write of a schedule's times and its spec, both ways. */
import type { CalendarLookup } from "../core/calendar.js";
import { invalid, PunctualError } from "../core/errors.js";
import type {
  AtSpec,
  CronSpec,
  Exclusion,
  FireTimes,
  Instant,
  ScheduleSpec,
  SpecItem,
} from "../core/schedule.js";
import { compileSpec } from "../core/time/fire-times.js";
import { cronItemOf } from "./cron-input.js";
import { formatDuration } from "./duration.js";
import type { ExclusionInput, ItemInput, SpecInput, WrittenSpec } from "./spec-input.js";

/** @param now for times that have passed by then */
export function specOf(input: SpecInput, now: Instant): ScheduleSpec {
  const include = (input.include ?? [{ ...input, calendar: undefined }]).flatMap((item) =>
    itemsOf(item, now),
  );
  const exclude = (input.exclude ?? []).flatMap(exclusionsOf);
  const { calendar, startAt, endAt, spread = 0, jitter = 0 } = input;
  const [only] = include;
  const limited = [calendar, startAt, endAt].some((value) => value !== undefined) || spread + jitter > 0;
  if (only !== undefined && include.length === 1 && exclude.length === 0 && !limited) return only;
  return {
    kind: "composite",
    include,
    exclude,
    ...(calendar !== undefined && { calendar }),
    ...(startAt !== undefined && { startAt }),
    ...(endAt !== undefined && { endAt }),
    spreadMs: spread,
    jitterMs: jitter,
  };
}

/** What says the same as a spec, in the simple form if it can be. */
export function specInputOf(spec: ScheduleSpec): WrittenSpec {
  if (spec.kind !== "composite") return writtenItems([spec]);
  const { include, exclude, calendar, startAt, endAt, spreadMs, jitterMs } = spec;
  return {
    ...writtenItems(include),
    ...(exclude.length > 0 && { exclude: exclude.map(writtenExclusion) }),
    ...(calendar !== undefined && { calendar: { ...calendar } }),
    ...(startAt !== undefined && { startAt: iso(startAt) }),
    ...(endAt !== undefined && { endAt: iso(endAt) }),
    ...(spreadMs > 0 && { spread: formatDuration(spreadMs) }),
    ...(jitterMs > 0 && { jitter: formatDuration(jitterMs) }),
  };
}

function itemsOf(input: ItemInput, now: Instant): SpecItem[] {
  const { cron, timeZone, dst, every, phase, anchor, at, ifPast, rrule, start, calendar } = input;
  if (cron !== undefined) return cron.map((line) => cronItemOf({ cron: line, timeZone, dst }));
  if (at !== undefined)
    return at.map((time) => ({ kind: "at", at: time, ...(ifPast === "run" && { madeAt: now }) }));
  if (every !== undefined) {
    const anchored = anchor === "startAt" && { anchor };
    return [{ kind: "every", everyMs: every, phaseMs: phase ?? 0, ...anchored }];
  }
  if (rrule !== undefined) {
    const rule = rrule.trim().replace(/^RRULE:/i, "");
    return [{ kind: "rrule", rule, timeZone: timeZone ?? "UTC", ...(start !== undefined && { start }) }];
  }
  return [{ kind: "opening", calendar: calendar as string }];
}

function exclusionsOf(input: ExclusionInput): Exclusion[] {
  const { cron, timeZone = "UTC", dst, at, from, to, calendar, when = "closed" } = input;
  if (cron !== undefined)
    return cron.map((expression) => ({
      kind: "cron",
      expression,
      timeZone,
      ...(dst !== undefined && { dst }),
    }));
  if (at !== undefined) return at.map((time) => ({ kind: "at", at: time }));
  if (from !== undefined && to !== undefined) return [{ kind: "range", from, to }];
  return [{ kind: "calendar", calendar: calendar as string, when }];
}

/** Lines of one zone and one-off times are lists in the simple form. */
function writtenItems(items: readonly SpecItem[]): WrittenSpec {
  const [first] = items;
  if (first?.kind === "cron" && items.every((item) => item.kind === "cron" && sameZone(item, first)))
    return { ...writtenItem(first), cron: oneOrList(items.map((item) => (item as CronSpec).expression)) };
  if (first?.kind === "at" && items.every((item) => item.kind === "at" && samePast(item, first)))
    return { ...writtenItem(first), at: oneOrList(items.map((item) => iso((item as AtSpec).at))) };
  if (first !== undefined && first.kind !== "opening" && items.length === 1) return writtenItem(first);
  return {
    include: items.map((item) => (item.kind === "opening" ? { calendar: item.calendar } : writtenItem(item))),
  };
}

type WrittenItem = Omit<
  WrittenSpec,
  "include" | "exclude" | "calendar" | "startAt" | "endAt" | "spread" | "jitter"
>;

function writtenItem(item: Exclude<SpecItem, { kind: "opening" }>): WrittenItem {
  switch (item.kind) {
    case "cron":
      return writtenCron(item);
    case "every":
      return {
        every: formatDuration(item.everyMs),
        phase: formatDuration(item.phaseMs),
        ...(item.anchor !== undefined && { anchor: item.anchor }),
      };
    case "at":
      return { at: iso(item.at), ...(item.madeAt !== undefined && { ifPast: "run" }) };
    case "rrule":
      return {
        rrule: item.rule,
        timeZone: item.timeZone,
        ...(item.start !== undefined && { start: item.start }),
      };
  }
}

const writtenCron = ({ expression, timeZone, dst }: CronSpec) => ({
  cron: expression,
  timeZone,
  ...(dst !== undefined && { dst: { ...dst } }),
});

function writtenExclusion(exclusion: Exclusion): NonNullable<WrittenSpec["exclude"]>[number] {
  switch (exclusion.kind) {
    case "cron":
      return writtenCron(exclusion);
    case "at":
      return { at: iso(exclusion.at) };
    case "range":
      return { from: iso(exclusion.from), to: iso(exclusion.to) };
    case "calendar":
      return { calendar: exclusion.calendar, ...(exclusion.when === "open" && { when: "open" }) };
  }
}

const sameZone = (a: CronSpec, b: CronSpec): boolean =>
  a.timeZone === b.timeZone && a.dst?.gap === b.dst?.gap && a.dst?.overlap === b.dst?.overlap;
const samePast = (a: AtSpec, b: AtSpec): boolean => (a.madeAt === undefined) === (b.madeAt === undefined);
const oneOrList = (list: string[]): string | string[] => (list.length === 1 ? (list[0] as string) : list);
const iso = (instant: Instant): string => new Date(instant).toISOString();

/** What people write, by the name it has in a spec. */
const WRITTEN: Readonly<Record<string, string>> = {
  expression: "cron",
  everyMs: "every",
  phaseMs: "phase",
  rule: "rrule",
};

/** Compiles a spec; what it refuses is named as people wrote it. */
export function compileWritten(spec: ScheduleSpec, seed: string, calendars: CalendarLookup): FireTimes {
  try {
    return compileSpec(spec, seed, calendars);
  } catch (error) {
    const [issue] = error instanceof PunctualError ? error.issues : [];
    throw issue === undefined ? error : invalid(writtenPath(issue.path, spec), issue.message);
  }
}

/** `include[1].expression` → `include[1].cron`, or `cron[1]` where that is how it is written. */
function writtenPath(path: string, spec: ScheduleSpec): string {
  const renamed = path.replace(/[^.]+$/, (field) => WRITTEN[field] ?? field);
  const [, index, field] = /^include\[(\d+)\]\.(\w+)$/.exec(renamed) ?? [];
  const written: Readonly<Record<string, unknown>> = specInputOf(spec);
  if (field === undefined || written.include !== undefined) return renamed;
  return Array.isArray(written[field]) ? `${field}[${index}]` : field;
}
