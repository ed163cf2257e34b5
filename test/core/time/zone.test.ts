import { describe, expect, it } from "vitest";
import { PunctualError } from "../../../src/core/errors.js";
import { isTimeZone, MAX_INSTANT, MIN_INSTANT, zoneNamed } from "../../../src/core/time/zone.js";

const at = (iso: string) => Date.parse(iso);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe("offsetAt", () => {
  it.each([
    ["UTC", "2024-07-01T00:00:00Z", 0],
    ["Europe/Berlin", "2024-01-01T00:00:00Z", HOUR],
    ["Europe/Berlin", "2024-07-01T00:00:00Z", 2 * HOUR],
    ["America/New_York", "2024-07-01T00:00:00Z", -4 * HOUR],
    ["Asia/Kathmandu", "2024-07-01T00:00:00Z", 5 * HOUR + 45 * MINUTE],
    ["Australia/Lord_Howe", "2024-07-01T00:00:00Z", 10 * HOUR + 30 * MINUTE],
    ["Australia/Lord_Howe", "2024-01-01T00:00:00Z", 11 * HOUR],
    // Local mean time, to the second.
    ["Europe/Berlin", "1850-01-01T00:00:00Z", 53 * MINUTE + 28_000],
    ["Africa/Monrovia", "1971-01-01T00:00:00Z", -(44 * MINUTE + 30_000)],
    // Rules go on for ever.
    ["Europe/Berlin", "9999-07-01T00:00:00Z", 2 * HOUR],
  ])("%s at %s", (name, instant, offset) => {
    expect(zoneNamed(name).offsetAt(at(instant))).toBe(offset);
  });

  it("answers at the ends of time", () => {
    expect(zoneNamed("Europe/Berlin").offsetAt(MIN_INSTANT)).toBe(53 * MINUTE + 28_000);
    expect(zoneNamed("Asia/Tokyo").offsetAt(MAX_INSTANT)).toBe(9 * HOUR);
  });

  it("changes at the very millisecond", () => {
    const zone = zoneNamed("Europe/Berlin");
    const change = at("2024-03-31T01:00:00Z");
    expect(zone.offsetAt(change - 1)).toBe(HOUR);
    expect(zone.offsetAt(change)).toBe(2 * HOUR);
  });
});

describe("transitionsBetween", () => {
  const list = (name: string, from: string, to: string) =>
    zoneNamed(name)
      .transitionsBetween(at(from), at(to))
      .map((t) => [new Date(t.at).toISOString(), t.offsetBeforeMs / MINUTE, t.offsetAfterMs / MINUTE]);

  it("lists the changes of a year", () => {
    expect(list("Europe/Berlin", "2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z")).toEqual([
      ["2024-03-31T01:00:00.000Z", 60, 120],
      ["2024-10-27T01:00:00.000Z", 120, 60],
    ]);
  });

  it("lists a skipped day", () => {
    expect(list("Pacific/Apia", "2011-12-01T00:00:00Z", "2012-01-31T00:00:00Z")).toEqual([
      ["2011-12-30T10:00:00.000Z", -600, 840],
    ]);
  });

  it("finds a summer time that lasted one week", () => {
    expect(list("America/Noronha", "2000-09-01T00:00:00Z", "2000-12-01T00:00:00Z")).toEqual([
      ["2000-10-08T02:00:00.000Z", -120, -60],
      ["2000-10-15T01:00:00.000Z", -60, -120],
    ]);
  });

  it("leaves out the start and includes the end", () => {
    const spring = "2024-03-31T01:00:00Z";
    const autumn = "2024-10-27T01:00:00Z";
    expect(list("Europe/Berlin", spring, autumn)).toEqual([["2024-10-27T01:00:00.000Z", 120, 60]]);
  });

  it("finds nothing in a zone that never changes", () => {
    expect(list("UTC", "1900-01-01T00:00:00Z", "2100-01-01T00:00:00Z")).toEqual([]);
  });

  it("misses no change and invents none, whatever is asked first", () => {
    const zone = zoneNamed("Africa/Casablanca");
    const late = zone.transitionsBetween(at("2060-01-01T00:00:00Z"), at("2080-01-01T00:00:00Z"));
    const all = zone.transitionsBetween(at("1960-01-01T00:00:00Z"), at("2080-01-01T00:00:00Z"));
    expect(all.slice(all.length - late.length)).toEqual(late);
    for (const [index, change] of all.entries()) {
      if (index > 0) expect(change.offsetBeforeMs).toBe(all[index - 1]!.offsetAfterMs);
    }
  });
});

describe("segmentAt", () => {
  it("knows the offset before, even where its table has an edge", () => {
    // Fifty days are the size of a chunk; its edges are looked at from both sides.
    const size = 50 * 86_400_000;
    for (const name of ["Europe/Berlin", "Asia/Gaza", "America/New_York"]) {
      const zone = zoneNamed(name);
      for (let edge = size; edge < 2 ** 42; edge += size) {
        const before = zone.segmentAt(edge - 1);
        const after = zone.segmentAt(edge);
        expect(before.until).toBe(edge);
        expect(after.from).toBeLessThanOrEqual(edge);
        if (after.from === edge) expect(after.offsetBeforeMs).toBe(before.offsetMs);
        const [change] = zone.transitionsBetween(edge, edge + 2 * 86_400_000);
        const back = change === undefined ? 0 : change.offsetBeforeMs - change.offsetAfterMs;
        if (back > 0) expect(before.repeatsFrom).toBe(change!.at - back);
      }
    }
  });
});

describe("names", () => {
  it.each(["UTC", "Europe/Berlin", "europe/berlin", "Etc/GMT+2", "EST", "Asia/Calcutta"])(
    "knows %s",
    (name) => {
      expect(isTimeZone(name)).toBe(true);
    },
  );

  it.each(["", " ", "Foo/Bar", "UTC ", "Europe", "GMT+2"])("does not know %j", (name) => {
    expect(isTimeZone(name)).toBe(false);
  });

  it("does not take a missing name for the zone of this machine", () => {
    expect(isTimeZone(undefined as unknown as string)).toBe(false);
  });

  it("refuses an unknown zone and says what it wants", () => {
    const thrown = catchError(() => zoneNamed("Foo/Bar"));
    expect(thrown.code).toBe("invalid");
    expect(thrown.issues).toEqual([
      { path: "timeZone", message: 'expected an IANA time zone such as "Europe/Berlin", got "Foo/Bar"' },
    ]);
  });
});

function catchError(action: () => unknown): PunctualError {
  try {
    action();
  } catch (error) {
    if (error instanceof PunctualError) return error;
  }
  throw new Error("expected a PunctualError");
}
