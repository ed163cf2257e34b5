/** The rule for changes of offset sentence by sentence, and what a schedule may say instead. */
import { describe, expect, it } from "vitest";
import type { DstPolicy } from "../../../src/core/schedule.js";
import { compileCron } from "../../../src/core/time/cron.js";
import { fireTimesBetween } from "../../../src/core/time/fire-times.js";

interface Place {
  zone: string;
  from: string;
  to: string;
}

/** Local time skips 02:00 to 03:00 at 01:00Z. */
const GAP: Place = { zone: "Europe/Berlin", from: "2026-03-28T23:30Z", to: "2026-03-29T03:30Z" };
/** Local time has 02:00 to 03:00 twice, from 00:00Z and from 01:00Z on. */
const OVERLAP: Place = { zone: "Europe/Berlin", from: "2026-10-24T22:30Z", to: "2026-10-25T02:30Z" };

/** The fire times in UTC, without date and seconds. */
function fires(expression: string, { zone, from, to }: Place, dst?: DstPolicy): string[] {
  const times = compileCron({ kind: "cron", expression, timeZone: zone, dst }, "");
  const found = fireTimesBetween(times, Date.parse(from), Date.parse(to), 1000);
  return found.map((at) => new Date(at).toISOString().slice(11, 16));
}

describe("the rule, a case for each of its sentences", () => {
  it("a line is daily when its hour field is a value", () => {
    expect(fires("30 2 * * *", GAP)).toEqual(["01:00"]);
  });
  it("or a list of values", () => {
    expect(fires("30 2,23 * * *", GAP)).toEqual(["01:00"]);
  });
  it("whatever its minutes are", () => {
    expect(fires("*/20 2 * * *", GAP)).toEqual(["01:00"]);
  });
  it.each(["*", "?", "2-2", "*/2", "2/12"])("else it is rhythmic: hour field %s", (hours) => {
    expect(
      fires(`30 ${hours} * * *`, { ...GAP, from: "2026-03-29T00:45Z", to: "2026-03-29T01:15Z" }),
    ).toEqual([]);
  });
  it("gap: all matches of a daily line in the gap become one fire at T", () => {
    expect(fires("0,15,30,45 2 * * *", GAP)).toEqual(["01:00"]);
  });
  it("merged with a regular fire there", () => {
    expect(fires("0,30 2,3 * * *", GAP)).toEqual(["01:00", "01:30"]);
  });
  it("the date fields are tested on the skipped date", () => {
    expect(fires("30 2 29 3 *", GAP)).toEqual(["01:00"]);
    expect(fires("30 2 30 3 *", GAP)).toEqual([]);
    // 23:00 to 24:00 of 30 March are skipped, T is midnight of the 31st.
    const nuuk = { zone: "America/Nuuk", from: "2024-03-31T00:30Z", to: "2024-03-31T02:30Z" };
    expect(fires("30 23 30 3 *", nuuk)).toEqual(["01:00"]);
    expect(fires("30 23 31 3 *", nuuk)).toEqual([]);
  });
  it("a rhythmic line gets no make-up", () => {
    expect(fires("30 * * * *", GAP)).toEqual(["00:30", "01:30", "02:30", "03:30"].slice(0, 4));
    expect(fires("30 */2 * * *", GAP)).toEqual(["02:30"]);
  });
  it("overlap: a daily line fires in the first pass only", () => {
    expect(fires("30 2 * * *", OVERLAP)).toEqual(["00:30"]);
  });
  it("a rhythmic line fires at its matches in both passes", () => {
    expect(fires("30 2-2 * * *", OVERLAP)).toEqual(["00:30", "01:30"]);
  });
  it("this holds for changes that are no summer time", () => {
    // Caracas went from -04:30 to -04:00 at 02:30 on 1 May 2016, for good.
    const caracas = { zone: "America/Caracas", from: "2016-05-01T06:00Z", to: "2016-05-01T08:00Z" };
    expect(fires("45 2 * * *", caracas)).toEqual(["07:00"]);
  });
  it("whole skipped days included", () => {
    const apia = { zone: "Pacific/Apia", from: "2011-12-30T09:00Z", to: "2011-12-30T11:00Z" };
    expect(fires("0 12 30 12 *", apia)).toEqual(["10:00"]);
  });
  it("next is strictly after its start", () => {
    const times = compileCron({ kind: "cron", expression: "30 2 * * *", timeZone: "Europe/Berlin" }, "");
    const at = Date.parse("2026-03-29T01:00Z");
    expect(times.next(at - 1)).toBe(at);
    expect(times.next(at)).toBe(Date.parse("2026-03-30T00:30Z"));
  });
  it("day of month and day of week combine by OR when both are restricted", () => {
    // The 29th is a Sunday.
    expect(fires("30 2 1 * SUN", GAP)).toEqual(["01:00"]);
    expect(fires("30 2 29 * MON", GAP)).toEqual(["01:00"]);
    expect(fires("30 2 1 * MON", GAP)).toEqual([]);
  });
  it.each(["*", "?"])("a field restricts unless it is literally * or ?: %s", (free) => {
    expect(fires(`30 2 1 * ${free}`, GAP)).toEqual([]);
    expect(fires("30 2 1 * */1", GAP)).toEqual(["01:00"]);
  });
});

describe("dst.gap", () => {
  it.each<[string, DstPolicy["gap"], string[]]>([
    ["30 2 * * *", "next", ["01:00"]],
    ["30 2 * * *", "skip", []],
    ["30 * * * *", "next", ["00:30", "01:00", "01:30", "02:30", "03:30"]],
    ["0,30 * * * *", "next", ["00:00", "00:30", "01:00", "01:30", "02:00", "02:30", "03:00", "03:30"]],
    ["30 * * * *", "skip", ["00:30", "01:30", "02:30", "03:30"]],
    ["0 2,3 * * *", "skip", ["01:00"]],
  ])("%s %s", (line, gap, expected) => {
    expect(fires(line, { ...GAP, from: "2026-03-28T23:45Z" }, { gap })).toEqual(expected);
  });
});

describe("dst.overlap", () => {
  it.each<[string, DstPolicy["overlap"], string[]]>([
    ["30 2 * * *", "first", ["00:30"]],
    ["30 2 * * *", "second", ["01:30"]],
    ["30 2 * * *", "both", ["00:30", "01:30"]],
    ["30 * * * *", "first", ["23:30", "00:30", "02:30"]],
    ["30 * * * *", "second", ["23:30", "01:30", "02:30"]],
    ["30 * * * *", "both", ["23:30", "00:30", "01:30", "02:30"]],
    ["0 3 * * *", "second", ["02:00"]],
    ["0 2 * * *", "second", ["01:00"]],
  ])("%s %s", (line, overlap, expected) => {
    expect(fires(line, { ...OVERLAP, from: "2026-10-24T23:00Z" }, { overlap })).toEqual(expected);
  });

  it("second, where an edge of the zone's table lies within the first pass", () => {
    // Troll has 01:00 to 03:00 twice, from 23:00Z and from 01:00Z on; the table is cut at midnight.
    const troll = { zone: "Antarctica/Troll", from: "2029-10-27T22:30Z", to: "2029-10-28T03:30Z" };
    expect(fires("30 1 * * *", troll, { overlap: "second" })).toEqual(["01:30"]);
    expect(fires("30 1 * * *", troll)).toEqual(["23:30"]);
  });

  it("second, of a day that came twice", () => {
    // Kwajalein had 30 September 1969 from 01:00 to 24:00 twice.
    const kwajalein = { zone: "Pacific/Kwajalein", from: "1969-09-29T13:00Z", to: "1969-10-01T13:00Z" };
    expect(fires("0 6 * * *", kwajalein, { overlap: "second" })).toEqual(["18:00"]);
    expect(fires("0 6 * * *", kwajalein, { overlap: "both" })).toEqual(["19:00", "18:00"]);
  });
});

it("one half may be said, the other stays as the line's kind has it", () => {
  expect(fires("30 2 * * *", OVERLAP, { gap: "skip" })).toEqual(["00:30"]);
  expect(fires("30 2 * * *", GAP, { overlap: "both" })).toEqual(["01:00"]);
});
