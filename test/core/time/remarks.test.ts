import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DstPolicy } from "../../../src/core/schedule.js";
import { compileCron } from "../../../src/core/time/cron.js";
import { previewFires } from "../../../src/core/time/preview.js";
import { zoneNamed } from "../../../src/core/time/zone.js";
import { lineArbitrary, textOf } from "./oracle/lines.js";
import { change } from "./oracle/properties.js";

/** Local times with their notes, `-` for none. */
function notes(
  expression: string,
  zone: string,
  { from, count, dst }: { from: string; count: number; dst?: DstPolicy },
): string[] {
  const line = compileCron({ kind: "cron", expression, timeZone: zone, dst }, "");
  const fires = previewFires({ times: line, lines: [line], zone: line.zone }, Date.parse(from), count);
  return fires.map(({ local, note }) => `${local} ${note ?? "-"}`);
}

const BERLIN = "Europe/Berlin";
const GAP = "2026-03-29T00:59Z";
const OVERLAP = "2026-10-24T23:59Z";

describe("a gap", () => {
  it.each<[string, DstPolicy, string]>([
    ["30 2 * * *", {}, "03:00:00+02:00 moved from 02:30, which 29 March skips"],
    ["5,30 2 * * *", {}, "03:00:00+02:00 moved from 02:05 and 02:30, which 29 March skips"],
    ["*/5 2 * * *", {}, "03:00:00+02:00 moved from 02:00 to 02:55 (12 times), which 29 March skips"],
    ["15 30 2 * * *", {}, "03:00:00+02:00 moved from 02:30:15, which 29 March skips"],
    ["0,30 2,3 * * *", {}, "03:00:00+02:00 also for 02:00 and 02:30, which 29 March skips"],
    ["0 3 * * *", {}, "03:00:00+02:00 -"],
    ["30 2,4 * * *", { gap: "skip" }, "04:30:00+02:00 29 March skips 02:30, no fire for that"],
    ["30 * * * *", {}, "03:30:00+02:00 29 March skips 02:30, no fire for that"],
    ["30 * * * *", { gap: "next" }, "03:00:00+02:00 moved from 02:30, which 29 March skips"],
    ["0 */3 * * *", {}, "03:00:00+02:00 -"],
  ])("%s %j", (line, dst, expected) => {
    expect(notes(line, BERLIN, { from: GAP, count: 1, dst })).toEqual([`2026-03-29T${expected}`]);
  });

  it("of a whole day, of half an hour, of minutes and seconds", () => {
    expect(notes("0 3 * * *", "Pacific/Apia", { from: "2011-12-30T00:00Z", count: 1 })).toEqual([
      "2011-12-31T00:00:00+14:00 moved from 03:00, which 30 December skips",
    ]);
    expect(notes("10 2 * * *", "Australia/Lord_Howe", { from: "2024-10-05T00:00Z", count: 1 })).toEqual([
      "2024-10-06T02:30:00+11:00 moved from 02:10, which 6 October skips",
    ]);
    expect(notes("15 0 * * *", "Africa/Monrovia", { from: "1972-01-07T00:00Z", count: 1 })).toEqual([
      "1972-01-07T00:44:30+00:00 moved from 00:15, which 7 January skips",
    ]);
  });

  it("that ends with the date tells the date that was skipped", () => {
    expect(notes("30 23 * * *", "America/Nuuk", { from: "2024-03-31T00:00Z", count: 1 })).toEqual([
      "2024-03-31T00:00:00-01:00 moved from 23:30, which 30 March skips",
    ]);
  });

  it("in years of silence is told, the first three", () => {
    const dst: DstPolicy = { gap: "skip" };
    expect(notes("30 2 29 3 *", BERLIN, { from: "2026-01-01T00:00Z", count: 1, dst })).toEqual([
      "2027-03-29T02:30:00+02:00 29 March skips 02:30, no fire for that",
    ]);
  });
});

describe("an overlap", () => {
  const first = "2026-10-25T02:30:00+02:00 02:30 comes twice, this is the first";
  const second = "2026-10-25T02:30:00+01:00 02:30 comes twice, this is the second";
  it.each<[string, DstPolicy, string[]]>([
    ["30 2 * * *", {}, [`${first}; the second does not fire`, "2026-10-26T02:30:00+01:00 -"]],
    [
      "30 2 * * *",
      { overlap: "second" },
      [`${second}; the first did not fire`, "2026-10-26T02:30:00+01:00 -"],
    ],
    ["30 2 * * *", { overlap: "both" }, [first, second]],
    ["30 * * * *", {}, [first, second]],
    [
      "0 2,3 * * *",
      {},
      [
        "2026-10-25T02:00:00+02:00 02:00 comes twice, this is the first; the second does not fire",
        "2026-10-25T03:00:00+01:00 -",
      ],
    ],
  ])("%s %j", (line, dst, expected) => {
    expect(notes(line, BERLIN, { from: OVERLAP, count: 2, dst })).toEqual(expected);
  });
});

it("offsets of long ago have seconds", () => {
  expect(notes("0 3 * * *", BERLIN, { from: "1880-01-01T00:00Z", count: 1 })).toEqual([
    "1880-01-01T03:00:00+00:53:28 -",
  ]);
});

it("there is a note exactly where the local time is not the line's, is ambiguous, or a match is lost", () => {
  fc.assert(
    fc.property(change, lineArbitrary({ quartz: true }), ({ zone, at }, drawn) => {
      const line = compileCron({ kind: "cron", expression: textOf(drawn), timeZone: zone }, "");
      const from = at - 7 * 86_400_000;
      const before = previewFires({ times: line, lines: [line], zone: line.zone }, from - 1e9, 40);
      for (const { at: fire, note } of before) {
        const local = fire + line.zone.offsetAt(fire);
        const isMatch = line.matches.atOrAfter(local) === local;
        if (!isMatch) expect(note).toMatch(/^moved from /);
        if (note === null) expect(isMatch).toBe(true);
      }
    }),
    { seed: 20_261_125, numRuns: 300 },
  );
});

describe("the first instant of a local date", () => {
  const startOf = (zone: string, date: string) =>
    new Date(zoneNamed(zone).startOfDay(Date.parse(date) / 86_400_000)).toISOString().slice(0, 16);
  it.each([
    ["Europe/Berlin", "2026-03-29", "2026-03-28T23:00"],
    ["Asia/Beirut", "2024-03-31", "2024-03-30T22:00"],
    ["America/Havana", "2024-11-03", "2024-11-03T04:00"],
    ["Asia/Beirut", "2024-10-27", "2024-10-26T22:00"],
    ["Pacific/Apia", "2011-12-30", "2011-12-30T10:00"],
    ["Pacific/Apia", "2011-12-31", "2011-12-30T10:00"],
    ["Pacific/Kiritimati", "2026-01-01", "2025-12-31T10:00"],
    ["Pacific/Pago_Pago", "2026-01-01", "2026-01-01T11:00"],
    ["Pacific/Kwajalein", "1969-09-30", "1969-09-29T13:00"],
  ])("%s %s", (zone, date, expected) => {
    expect(startOf(zone, date)).toBe(expected);
  });
});
