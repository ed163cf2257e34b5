import { expect, test } from "vitest";
import { fakeCli } from "./context.js";

const BERLIN = ["--tz", "Europe/Berlin", "--from", "2026-03-28", "--count", "3"];

test("the fire of the gap day, right after the gap, with the remark", async () => {
  const cli = fakeCli();
  const { exitCode, stdout, stderr } = await cli.argv("preview", "0 30 2 * * *", ...BERLIN);
  expect(exitCode).toBe(0);
  expect(stderr.split("\n")[0]).toBe(`tz data ${process.versions.tz}`);
  expect(stdout.split("\n")).toEqual([
    "UTC                   EUROPE/BERLIN               NOTE",
    "2026-03-28 01:30:00Z  2026-03-28 02:30:00 +01:00",
    "2026-03-29 01:00:00Z  2026-03-29 03:00:00 +02:00  moved from 02:30, which 29 March skips",
    "2026-03-30 00:30:00Z  2026-03-30 02:30:00 +02:00",
    "",
  ]);
  expect(cli.seen.connects).toEqual([]);
});

test("the same for programs", async () => {
  const { stdout } = await fakeCli().argv("preview", "0 30 2 * * *", ...BERLIN, "--json");
  expect(JSON.parse(stdout)).toEqual([
    { at: "2026-03-28T01:30:00.000Z", local: "2026-03-28T02:30:00+01:00", note: null },
    {
      at: "2026-03-29T01:00:00.000Z",
      local: "2026-03-29T03:00:00+02:00",
      note: "moved from 02:30, which 29 March skips",
    },
    { at: "2026-03-30T00:30:00.000Z", local: "2026-03-30T02:30:00+02:00", note: null },
  ]);
});

test("an interval has no zone", async () => {
  const { stdout } = await fakeCli().punctual("preview --every 10m --phase 1m --from 2026-03-28 --count 2");
  expect(stdout).toBe("UTC\n2026-03-28 00:01:00Z\n2026-03-28 00:11:00Z\n");
});

test("a line may be an interval, and a time of the day may be the start", async () => {
  const cli = fakeCli();
  const { stdout } = await cli.argv(
    "preview",
    "@every 10m",
    "--from",
    "2026-03-28T00:10:00Z",
    "--count",
    "1",
  );
  expect(stdout).toBe("UTC\n2026-03-28 00:20:00Z\n");
});

test("midnight of the first date is shown, also where the clocks skip it", async () => {
  const cli = fakeCli();
  const args = ["--tz", "Asia/Beirut", "--from", "2024-03-31", "--count", "1", "--quiet"];
  // Midnight to 01:00 is skipped.
  const { stdout, stderr } = await cli.argv("preview", "0 0 * * *", ...args);
  expect(stdout).toContain("2024-03-30 22:00:00Z  2024-03-31 01:00:00 +03:00  moved from 00:00");
  expect(stderr).toBe("");
});

test("what the line does when clocks change may be said", async () => {
  const cli = fakeCli();
  const { stdout } = await cli.argv("preview", "30 2 * * *", ...BERLIN, "--dst-gap", "skip");
  expect(stdout).toContain("2026-03-30 02:30:00 +02:00  29 March skips 02:30, no fire for that");
});

test("hashed values are those of the id", async () => {
  const cli = fakeCli();
  const minutes = async (...args: string[]) =>
    (await cli.argv("preview", "H 3 * * *", "--from", "2026-01-01", "--count", "1", ...args)).stdout;
  expect(await minutes("--id", "nightly")).toContain("03:27:00Z");
  expect(await minutes("--id", "other")).not.toContain("03:27:00Z");
});

test.each<[string[], RegExp]>([
  [[], /LINE, --every: .*expected one of cron, every, at, rrule, include, got 0/],
  [["0 3 * *"], /LINE: column 8: expected 5 fields/],
  [["0 24 * * *"], /LINE: hour, column 3: expected 0-23.*; for example 30 3 \* \* \*/],
  [["@every x"], /LINE: column 1: expected @every with a duration/],
  [["@daily", "--every", "5m"], /expected one of cron, every, at, rrule, include, got 2/],
  [["@daily", "--tz", "Berlin"], /--tz: expected an IANA time zone/],
  [["--every", "5m", "--tz", "UTC"], /--tz: goes with cron or rrule only/],
  [["@daily", "--from", "2026-02-30"], /--from: expected a date .* got "2026-02-30"/],
  [["@daily", "--count", "0"], /--count: expected a whole number from 1 to 1000/],
  [["@daily", "--dst-gap", "x"], /--dst-gap: expected one of/],
  [["@daily", "--id", "a b"], /ID: expected 1 to 128 characters/],
])("preview %j is refused", async (args, message) => {
  const { exitCode, stderr } = await fakeCli().argv("preview", ...args);
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(message);
});
