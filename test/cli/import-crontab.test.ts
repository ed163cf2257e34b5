import { expect, test } from "vitest";
import { PunctualError } from "../../src/core/errors.js";
import { viewOf } from "../client/fakes.js";
import { fakeCli } from "./context.js";

const notFound = () => new PunctualError("not_found", "does not exist");
const files = {
  crontab: "CRON_TZ=UTC\n0 3 * * * backup\n@daily report\n",
  bad: "0 3 * * * backup\n61 * * * * report\n@reboot x\n",
};

const backup = viewOf("backup", {
  cron: "0 3 * * *",
  timeZone: "UTC",
  queue: "exec",
  payload: { env: {}, shell: "backup" },
});

test("what is new is created, only if it is still new; what is there stays", async () => {
  const cli = fakeCli({ files });
  cli.server.answers.push(backup, notFound(), viewOf("report"));
  const { exitCode, stdout, stderr } = await cli.punctual("import crontab crontab");
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "1 created, 0 updated, 1 unchanged\n" });
  expect(stdout.split("\n")).toEqual([
    "LINE  ID               SPEC       TIME ZONE  ACTION",
    expect.stringMatching(/^2 {5}backup-\w{8} {2}0 3 \* \* \* {2}UTC {8}unchanged$/),
    expect.stringMatching(/^3 {5}report-\w{8} {2}@daily {5}UTC {8}created$/),
    "",
  ]);
  expect(cli.server.calls.map(({ endpoint }) => endpoint)).toEqual([
    "schedule.get",
    "schedule.get",
    "schedule.put",
  ]);
  expect(cli.server.calls[2]?.request).toMatchObject({
    ifRevision: 0,
    schedule: { cron: "@daily", queue: "exec", payload: { shell: "report", env: {} } },
  });
});

test("an update counts only if nobody else came between", async () => {
  const cli = fakeCli({ files });
  const changed = { ...backup, schedule: { ...backup.schedule, cron: "0 4 * * *" } };
  cli.server.answers.push(changed, notFound(), new PunctualError("conflict", "it has changed"), viewOf("r"));
  const { exitCode, stderr } = await cli.punctual("import crontab crontab");
  expect(exitCode).toBe(5);
  expect(cli.server.calls[2]?.request).toMatchObject({ ifRevision: 7 });
  expect(stderr).toMatch(/it has changed; 1 of 2 changes were made before it; the same import goes on/);
});

test("a dry run changes nothing", async () => {
  const cli = fakeCli({ files });
  cli.server.answers.push(backup, notFound());
  const { stdout } = await cli.punctual("import crontab crontab --dry-run --json --queue exec");
  expect(JSON.parse(stdout)).toMatchObject({
    dryRun: true,
    created: 1,
    updated: 0,
    unchanged: 1,
    jobs: [
      { line: 2, action: "unchanged" },
      { line: 3, action: "created" },
    ],
  });
  expect(cli.server.calls.map(({ endpoint }) => endpoint)).toEqual(["schedule.get", "schedule.get"]);
});

test("a file with bad lines is refused as a whole, every one with its number", async () => {
  const cli = fakeCli({ files });
  const { exitCode, stdout, stderr } = await cli.punctual("import crontab bad");
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  expect(stderr.split("\n")).toEqual([
    expect.stringMatching(/^bad:2: minute, column 1: expected 0-59/),
    expect.stringMatching(/^bad:3: @reboot/),
    "punctual: bad: 2 bad lines; nothing was imported",
    "",
  ]);
  expect(cli.seen.connects).toEqual([]);
});

test("programs get the bad lines as issues", async () => {
  const { stderr } = await fakeCli({ files }).punctual("import crontab bad --json");
  expect(JSON.parse(stderr)).toMatchObject({
    error: { code: "invalid", issues: [{ path: "line 2" }, { path: "line 3" }] },
  });
});

test.each([
  ["gone", /cannot read gone/],
  ["crontab --queue a.b", /--queue: expected 1 to 64 characters/],
  ["crontab --prefix .", /--prefix: expected/],
  ["crontab --time-zone Berlin", /--time-zone: expected an IANA time zone/],
])("import crontab %s is refused", async (args, message) => {
  const { exitCode, stderr } = await fakeCli({ files }).punctual(`import crontab ${args}`);
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(message);
});
