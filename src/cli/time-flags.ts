/** The flags that say when a schedule fires. */
import type { Flag } from "./flags.js";

export const timeFlags: readonly Flag[] = [
  {
    flags: "--cron <line>",
    field: "cron",
    kind: "list",
    text: "5 fields, 6 with leading seconds, @daily, or @every 10m; may be repeated",
  },
  {
    flags: "--time-zone <name>",
    field: "timeZone",
    kind: "text",
    text: "of the cron line or the rrule, as Europe/Berlin (default: UTC)",
  },
  {
    flags: "--dst-gap <policy>",
    field: "dst.gap",
    kind: "text",
    text: "next or skip: local times that the clocks skip (default: daily next, else skip)",
  },
  {
    flags: "--dst-overlap <policy>",
    field: "dst.overlap",
    kind: "text",
    text: "first, second or both: local times that come twice (default: daily first, else both)",
  },
  { flags: "--every <time>", field: "every", kind: "duration", text: "fixed interval, as 90s or 1h30m" },
  { flags: "--phase <time>", field: "phase", kind: "duration", text: "shifts the interval (default: 0s)" },
  {
    flags: "--anchor <where>",
    field: "anchor",
    kind: "text",
    text: "epoch or startAt: where the interval is counted from (default: epoch)",
  },
  {
    flags: "--at <time>",
    field: "at",
    kind: "list",
    text: "once, as 2026-12-24T18:00:00Z; may be repeated",
  },
  {
    flags: "--if-past <policy>",
    field: "ifPast",
    kind: "text",
    text: "run or drop: times of --at that have passed (default: drop)",
  },
  {
    flags: "--rrule <rule>",
    field: "rrule",
    kind: "text",
    text: "rule of RFC 5545, as FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17",
  },
  {
    flags: "--start <time>",
    field: "start",
    kind: "text",
    text: "DTSTART of the rrule, local (default: 1970-01-01T00:00:00)",
  },
  {
    flags: "--include <json>",
    field: "include",
    kind: "json",
    text: 'several of these, as [{"cron":…},{"every":…}], or @FILE',
  },
  {
    flags: "--exclude <json>",
    field: "exclude",
    kind: "json",
    text: 'when nothing fires, as [{"cron":…},{"calendar":…},{"from":…,"to":…}], or @FILE',
  },
  {
    flags: "--calendar <name>",
    field: "calendar.name",
    kind: "text",
    text: "only when this calendar allows it",
  },
  {
    flags: "--roll <rule>",
    field: "calendar.roll",
    kind: "text",
    text: "skip, next-business-day or previous-business-day: what else (default: skip)",
  },
  { flags: "--start-at <time>", field: "startAt", kind: "text", text: "nothing fires before" },
  { flags: "--end-at <time>", field: "endAt", kind: "text", text: "nothing fires after" },
  {
    flags: "--spread <time>",
    field: "spread",
    kind: "duration",
    text: "shifts all fire times by a stable part of this, by id (default: 0s)",
  },
  {
    flags: "--jitter <time>",
    field: "jitter",
    kind: "duration",
    text: "publishes each run up to this much later, at most 1h (default: 0s)",
  },
];
