/** The fire times to come, as people read them: by the clock on the wall, with a word where the clocks change. */
import { type FireTimes, type Instant, itemsOf, type ScheduleSpec } from "../schedule.js";
import { type CronLine, compileCron } from "./cron.js";
import { remarksOn } from "./remarks.js";
import { type Zone, zoneNamed } from "./zone.js";

export interface PreviewedFire {
  readonly at: Instant;
  /** RFC 3339 with the offset of the zone at that time. */
  readonly local: string;
  /** What a change of the clocks has to do with it; null is the usual case. */
  readonly note: string | null;
}

/** What is previewed: fire times, the cron lines among their sources, and the zone to show them in. */
export interface Previewed {
  times: FireTimes;
  lines: readonly CronLine[];
  zone: Zone;
}

/** The cron lines of a spec, compiled; remarks are about them. */
export function cronLinesOf(spec: ScheduleSpec, seed: string): CronLine[] {
  return itemsOf(spec).flatMap((item) => (item.kind === "cron" ? [compileCron(item, seed)] : []));
}

/** The zone named, else that of the first line, else UTC. Refuses an unknown name as `invalid`. */
export function zoneToShow(name: string | undefined, lines: readonly CronLine[]): Zone {
  return name === undefined ? (lines[0]?.zone ?? zoneNamed("UTC")) : zoneNamed(name);
}

/** The first `count` fire times after an instant; fewer when there are no more. */
export function previewFires(
  { times, lines, zone }: Previewed,
  after: Instant,
  count: number,
): PreviewedFire[] {
  const fires: PreviewedFire[] = [];
  let before = after;
  while (fires.length < count) {
    const at = times.next(before);
    if (at === null) break;
    const remarks = lines.flatMap((line) => remarksOn(line, before, at));
    const note = remarks.length === 0 ? null : [...new Set(remarks)].join("; ");
    fires.push({ at, local: localTime(at, zone.offsetAt(at)), note });
    before = at;
  }
  return fires;
}

/** `2026-03-29T03:00:00+02:00`; milliseconds, and seconds of the offset, only when there are any. */
function localTime(at: Instant, offsetMs: number): string {
  const clock = new Date(at + offsetMs).toISOString().replace(/(\.000)?Z$/, "");
  const seconds = Math.abs(offsetMs) / 1000;
  const parts = [seconds / 3600, (seconds / 60) % 60, ...(seconds % 60 === 0 ? [] : [seconds % 60])];
  const offset = parts.map((part) => String(Math.floor(part)).padStart(2, "0")).join(":");
  return `${clock}${offsetMs < 0 ? "-" : "+"}${offset}`;
}
