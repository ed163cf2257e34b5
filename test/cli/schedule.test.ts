import { expect, test } from "vitest";
import { invalid } from "../../src/core/errors.js";
import { viewOf } from "../client/fakes.js";
import { fakeCli } from "./context.js";

test("each flag is one field", async () => {
  const cli = fakeCli();
  cli.server.answers.push(viewOf("nightly"));
  const { exitCode, stdout } = await cli.argv(
    ...["schedule", "put", "nightly", "--cron", "0 3 * * *", "--time-zone", "Europe/Berlin", "--queue", "q"],
    ...["--payload", '{"a":1}', "--header", "X-Team: red: blue", "--header", "X-B:2", "--if-revision", "3"],
    ...["--retry-max-attempts", "3", "--retry-initial-delay", "5s", "--retry-factor", "1.5"],
    ...["--retry-max-delay", "60000", "--timeout", "10m", "--overlap", "allow", "--misfire", "all"],
    ...["--catch-up-window", "1h", "--delivery", "at-most-once", "--paused", "--note", "not yet"],
  );
  expect({ exitCode, stdout }).toEqual({
    exitCode: 0,
    stdout: "nightly stored, next 2026-07-30 03:00:00Z\n",
  });
  expect(cli.server.calls).toEqual([
    {
      endpoint: "schedule.put",
      request: {
        id: "nightly",
        ifRevision: 3,
        schedule: {
          cron: "0 3 * * *",
          timeZone: "Europe/Berlin",
          queue: "q",
          payload: { a: 1 },
          headers: { "X-Team": "red: blue", "X-B": "2" },
          retry: { maxAttempts: 3, initialDelay: "5s", factor: 1.5, maxDelay: 60_000 },
          timeout: "10m",
          overlap: "allow",
          misfire: "all",
          catchUpWindow: "1h",
          delivery: "at-most-once",
          paused: true,
          note: "not yet",
        },
      },
    },
  ]);
});

test("a file gives the schedule, and flags override it field by field", async () => {
  const file = { every: "5s", queue: "a", retry: { maxAttempts: 3, factor: 2 } };
  const cli = fakeCli({ files: { "-": JSON.stringify(file), "body.json": '{"big":true}' } });
  cli.server.answers.push(viewOf("x"));
  await cli.punctual("schedule put x --file - --queue b --retry-factor 3 --payload @body.json");
  expect(cli.server.calls[0]?.request).toEqual({
    id: "x",
    schedule: { every: "5s", queue: "b", retry: { maxAttempts: 3, factor: 3 }, payload: { big: true } },
  });
});

test("a field of a file that is none is named, and no flag is blamed for it", async () => {
  const cli = fakeCli({ files: { "-": '{"every":"5s","nope":1}' } });
  const { exitCode, stderr } = await cli.punctual("schedule put x --file -");
  expect({ exitCode, stderr }).toEqual({
    exitCode: 2,
    stderr: 'punctual: schedule: unknown field "nope"\n',
  });
});

test.each<[string[], RegExp]>([
  [["a.b", "--every", "5s"], /ID: expected 1 to 128 characters .* got "a\.b"/],
  [
    ["x"],
    /--cron, --every, --at, --rrule, --include: expected one of cron, every, at, rrule, include, got 0 of them/,
  ],
  [
    ["x", "--every", "5s", "--at", "2030-01-01T00:00:00Z"],
    /--cron, --every, --at, --rrule, --include: .* got 2 of them/,
  ],
  [["x", "--cron", "0 3 * *"], /--cron: column 8: expected 5 fields .* got 4 fields/],
  [["x", "--cron", "0 25 * * *"], /--cron: hour, column 3: expected 0-23.* got "25"/],
  [["x", "--cron", "0 0 30 2 *"], /--cron: .* can never fire/],
  [["x", "--cron", "@daily", "--time-zone", "Berlin"], /--time-zone: expected an IANA .* got "Berlin"/],
  [["x", "--every", "5s", "--time-zone", "UTC"], /--time-zone: goes with cron or rrule only/],
  [["x", "--cron", "@daily", "--dst-gap", "never"], /--dst-gap: expected one of .* got "never"/],
  [["x", "--cron", "@daily", "--dst-overlap", "1"], /--dst-overlap: expected one of .* got "1"/],
  [
    ["x", "--cron", "@every often"],
    /--cron: column 1: expected @every with a duration .* got "@every often"/,
  ],
  [["x", "--every", "often"], /--every: expected a duration .* got "often"/],
  [["x", "--every", "5s", "--phase", "9s"], /--phase: expected less than every/],
  [["x", "--at", "tomorrow"], /--at: expected an RFC 3339 time .* got "tomorrow"/],
  [["x", "--every", "5s", "--queue", "a b"], /--queue: expected 1 to 64 characters .* got "a b"/],
  [["x", "--every", "5s", "--payload", "hi"], /--payload: expected JSON, got "hi"; .* '"text"'/],
  [["x", "--every", "5s", "--payload", "@gone"], /cannot read gone/],
  [["x", "--every", "5s", "--header", "none"], /--header: expected "Name: value", got "none"/],
  [["x", "--every", "5s", "--header", "Nats-X: 1"], /--header Nats-X: .*reserved/],
  [
    ["x", "--every", "5s", "--retry-max-attempts", "two"],
    /--retry-max-attempts: expected a number, got "two"/,
  ],
  [["x", "--every", "5s", "--retry-max-attempts", "0"], /--retry-max-attempts: .*, got 0/],
  [["x", "--every", "5s", "--overlap", "never"], /--overlap: expected one of .* got "never"/],
  [["x", "--every", "5s", "--if-revision", "-1"], /--if-revision: expected a whole number/],
  [["x", "--file", "bad.json"], /--file bad\.json: expected JSON, got "\{"/],
  [["x", "--file", "list.json"], /--file list\.json: expected a JSON object, got \[\]/],
  [["x", "--file", "typo.json"], /unknown field "crn"/],
])("put %j is refused in the words of the flags, before anything is connected", async (args, message) => {
  const files = { "bad.json": "{", "list.json": "[]", "typo.json": '{"crn":"@daily"}' };
  const cli = fakeCli({ files });
  const { exitCode, stderr } = await cli.argv("schedule", "put", ...args);
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(message);
  expect(cli.seen.connects).toEqual([]);
});

test("a refusal of the API names the flag as well", async () => {
  const cli = fakeCli();
  cli.server.answers.push(invalid("retry.maxAttempts", "expected at most 5, the queue's limit, got 30"));
  const { stderr } = await cli.punctual("schedule put x --every 5s --retry-max-attempts 30");
  expect(stderr).toBe("punctual: --retry-max-attempts: expected at most 5, the queue's limit, got 30\n");
});

const views = [
  viewOf("beat", { every: "5s", phase: "0s", queue: "q" }),
  viewOf("nightly", { cron: "0 3 * * *", timeZone: "Europe/Berlin", queue: "exec" }),
  { ...viewOf("held", { every: "1h", phase: "10m", paused: true, note: "why" }), nextFireTime: null },
  { ...viewOf("once", { at: "2020-01-01T00:00:00Z" }), nextFireTime: null },
];

test("the list is a table for people", async () => {
  const cli = fakeCli();
  cli.server.answers.push({ schedules: views, next: null });
  expect((await cli.punctual("schedule list")).stdout.split("\n")).toEqual([
    "ID       SPEC                     TIME ZONE      QUEUE    NEXT                  STATE",
    "beat     every 5s                 -              q        2026-07-30 03:00:00Z  active",
    "nightly  0 3 * * *                Europe/Berlin  exec     2026-07-30 03:00:00Z  active",
    "held     every 1h +10m            -              default  -                     paused: why",
    "once     at 2020-01-01 00:00:00Z  -              default  -                     done",
    "",
  ]);
});

test("the list is JSON for programs, and ids alone when quiet", async () => {
  const cli = fakeCli();
  cli.server.answers.push({ schedules: views, next: null }, { schedules: views, next: null });
  expect(JSON.parse((await cli.punctual("schedule list --json")).stdout)).toEqual(views);
  expect((await cli.punctual("schedule list --quiet")).stdout).toBe("beat\nnightly\nheld\nonce\n");
});

test("an empty list says what to do, on stderr", async () => {
  const cli = fakeCli();
  cli.server.answers.push({ schedules: [], next: null });
  expect(await cli.punctual("schedule list")).toMatchObject({
    exitCode: 0,
    stdout: "",
    stderr: 'no schedules; make one with "punctual schedule put"\n',
  });
});

test("pause, resume, trigger and delete say what they did", async () => {
  const cli = fakeCli();
  const run = { runId: "a:manual-1", accepted: true };
  cli.server.answers.push(viewOf("a"), viewOf("a"), run, { ...run, accepted: false }, { id: "a" });
  expect((await cli.argv("schedule", "pause", "a", "--note", "moving house")).stdout).toBe("a paused\n");
  expect(cli.server.calls[0]?.request).toEqual({ id: "a", note: "moving house" });
  expect((await cli.punctual("schedule resume a")).stdout).toBe("a resumed, next 2026-07-30 03:00:00Z\n");
  expect((await cli.punctual("schedule trigger a")).stdout).toBe("a:manual-1 queued\n");
  expect((await cli.punctual("schedule trigger a")).stdout).toMatch(/^a is queued or running already/);
  expect((await cli.punctual("schedule delete a")).stdout).toBe("a deleted\n");
});

test("a preview shows both clocks", async () => {
  const cli = fakeCli();
  const fires = [
    { at: "2026-03-28T01:30:00.000Z", local: "2026-03-28T02:30:00+01:00", note: null },
    { at: "2026-03-29T01:00:00.000Z", local: "2026-03-29T03:00:00+02:00", note: "moved" },
  ];
  const zone = "Europe/Berlin";
  const answer = { fires, timeZone: zone, tzData: "2030a" };
  cli.server.answers.push(viewOf("a", { cron: "30 2 * * *", timeZone: zone }), answer);
  const { stdout, stderr } = await cli.punctual("schedule preview a --count 2 --from 2026-03-28");
  expect(stdout.split("\n")).toEqual([
    "UTC                   EUROPE/BERLIN               NOTE",
    "2026-03-28 01:30:00Z  2026-03-28 02:30:00 +01:00",
    "2026-03-29 01:00:00Z  2026-03-29 03:00:00 +02:00  moved",
    "",
  ]);
  expect(stderr).toMatch(/^tz data 2030a\nwarning: dst-gap: /);
  // Midnight in Berlin, midnight included.
  expect(cli.server.calls[1]?.request).toEqual({ id: "a", from: "2026-03-27T22:59:59.999Z", count: 2 });
});

test("a preview needs no stored schedule", async () => {
  const cli = fakeCli();
  const fires = [{ at: "2026-01-01T00:00:05.000Z", local: "2026-01-01T00:00:05+00:00", note: null }];
  cli.server.answers.push({ fires, timeZone: "UTC", tzData: "2030a" });
  const { stdout } = await cli.punctual("schedule preview --every 5s --json");
  expect(JSON.parse(stdout)).toEqual(fires);
});

test.each([
  ["schedule preview", /expected either an ID or a schedule/],
  ["schedule preview a --every 5s", /expected either an ID or a schedule/],
  ["schedule preview a --count 0", /--count: expected a whole number from 1 to 1000, got "0"/],
  ["schedule preview a --from now", /--from: expected a date .* or an RFC 3339 time .* got "now"/],
])("%j is refused", async (line, message) => {
  const { exitCode, stderr } = await fakeCli().punctual(line);
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(message);
});
