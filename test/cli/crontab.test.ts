import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { splitCommand } from "../../src/cli/crontab/command.js";
import { type CrontabOptions, parseCrontab, readCrontab } from "../../src/cli/crontab/parse.js";
import { PunctualError } from "../../src/core/errors.js";

const one = (text: string, options?: CrontabOptions) => {
  const jobs = parseCrontab(text, options);
  expect(jobs).toHaveLength(1);
  return jobs[0]!;
};

const payloadOf = (text: string, options?: CrontabOptions) => one(text, options).schedule.payload;

test.each([
  ["30 3 * * *  backup", "30 3 * * *"],
  ["\t */5\t8-18  * *   1-5 backup", "*/5 8-18 * * 1-5"],
  ["0 0 1 jan,APR,jul,oct * backup", "0 0 1 jan,APR,jul,oct *"],
  ["0 9 * * mon-fri backup", "0 9 * * mon-fri"],
  ["0 0 * * 7 backup", "0 0 * * 7"],
  ["0-59/2 */3 1,15 * sun backup", "0-59/2 */3 1,15 * sun"],
  ["-*/15 * * * * backup", "*/15 * * * *"],
  ["@hourly backup", "@hourly"],
  ["@midnight backup", "@midnight"],
  ["@yearly backup", "@yearly"],
  ["* * * * * backup\r", "* * * * *"],
])("%j fires at %j", (line, cron) => {
  expect(one(line).schedule).toEqual({ cron, queue: "exec", payload: { shell: "backup", env: {} } });
});

test("comments and blank lines say nothing", () => {
  expect(parseCrontab("# m h dom mon dow\n\n   # indented\n\t\n")).toEqual([]);
});

test("a # after the times belongs to the command", () => {
  expect(payloadOf("* * * * * echo # no comment")).toMatchObject({ shell: "echo # no comment" });
});

test("environment lines hold for the lines that follow", () => {
  const jobs = parseCrontab(
    [
      "* * * * * first",
      "SHELL=/bin/bash",
      'MAILTO = "ops@example.com"',
      "GREETING=' two  blanks '",
      "EMPTY=",
      "'QUOTED'=a=b c  ",
      "* * * * * second",
      "EMPTY=full",
      "* * * * * third",
    ].join("\n"),
  );
  const base = {
    SHELL: "/bin/bash",
    MAILTO: "ops@example.com",
    GREETING: " two  blanks ",
    QUOTED: "a=b c",
  };
  expect(jobs.map(({ schedule }) => schedule.payload)).toEqual([
    { shell: "first", env: {} },
    { shell: "second", env: { ...base, EMPTY: "" } },
    { shell: "third", env: { ...base, EMPTY: "full" } },
  ]);
});

test("CRON_TZ and TZ set the time zone of the lines that follow; only TZ is told to the command", () => {
  const text = [
    "0 0 * * * first",
    "CRON_TZ=Europe/Berlin",
    "0 0 * * * second",
    "TZ=:Asia/Tokyo",
    "0 0 * * * third",
    "CRON_TZ=",
    "0 0 * * * fourth",
  ].join("\n");
  const zones = (options?: CrontabOptions) => parseCrontab(text, options).map((job) => job.schedule.timeZone);
  expect(zones()).toEqual([undefined, "Europe/Berlin", "Asia/Tokyo", undefined]);
  expect(zones({ timeZone: "America/Lima" })).toEqual([
    "America/Lima",
    "Europe/Berlin",
    "Asia/Tokyo",
    "America/Lima",
  ]);
  expect(parseCrontab(text)[2]?.schedule.payload).toEqual({ shell: "third", env: { TZ: ":Asia/Tokyo" } });
});

test.each([
  ["date", "date", undefined],
  ["date +\\%F", "date +%F", undefined],
  ["mail boss%Hello%Bye", "mail boss", "Hello\nBye\n"],
  ["mail boss%Hello%", "mail boss", "Hello\n"],
  ["cat%100\\% sure", "cat", "100% sure\n"],
  ["cat%", "cat", undefined],
  ["echo a\\\\%b", "echo a\\\\", "b\n"],
  ["echo a\\b\\", "echo a\\b\\", undefined],
])("the command %j is %j with the input %j", (text, command, stdin) => {
  expect(splitCommand(text)).toEqual({ command, stdin });
});

test("the input of a command is part of its payload", () => {
  expect(payloadOf("* * * * * cat%a%b")).toEqual({ shell: "cat", env: {}, stdin: "a\nb\n" });
});

test("/etc/crontab has a user before the command", () => {
  const job = one("17 *\t* * *\troot  cd / && run-parts /etc/cron.hourly", { userColumn: true });
  expect(job).toMatchObject({ user: "root", schedule: { cron: "17 * * * *" } });
  expect(job.schedule.payload).toEqual({ shell: "cd / && run-parts /etc/cron.hourly", env: {} });
  expect(one("@daily www-data true", { userColumn: true }).user).toBe("www-data");
});

test("a directive turns seconds on and off", () => {
  const text = [
    "* * * * * minutely",
    "# punctual: seconds",
    "*/5 * * * * * quick",
    "@hourly hourly",
    "#punctual: seconds  off",
    "* * * * * echo",
  ].join("\n");
  expect(parseCrontab(text).map(({ schedule }) => schedule.cron)).toEqual([
    "* * * * *",
    "*/5 * * * * *",
    "@hourly",
    "* * * * *",
  ]);
  expect(one("* * * * * * true", { seconds: true }).schedule.cron).toBe("* * * * * *");
});

test("queue and prefix are those that were asked for", () => {
  const job = one("* * * * * true", { queue: "shell", prefix: "web-1" });
  expect(job.schedule.queue).toBe("shell");
  expect(job.id).toBe("web-1-true-ff84e8a9");
});

const bad: [string, RegExp][] = [
  ["* * * *", /expected 5 time fields and a command, or NAME=value, got "\* \* \* \*"/],
  ["hello", /expected 5 time fields/],
  ["* * * * *", /expected a command after the times/],
  ["@daily", /expected a command after the times/],
  ["* * * * * %input", /expected a command after the times/],
  ["60 * * * * true", /minute, column 1: expected 0-59.* got "60"/],
  ["* 24 * * * true", /hour, column 3: expected 0-23.* got "24"/],
  ["*  * 0 * * true", /day of month, column 6: expected 1-31.* got "0"/],
  ["* * * 13 * true", /month, column 7: expected 1-12.* got "13"/],
  ["* * * * monday true", /day of week, column 9: expected 0-7.* got "monday"/],
  ["*/0 * * * * true", /minute, column 1: expected a step from 1 to 60/],
  ["* 22-2 * * * true", /hour, column 3: .* write 22-23,0-2/],
  ["1,,2 * * * * true", /minute, column 3: .* got "" in "1,,2"/],
  ["0 0 30 2 * true", /can never fire/],
  ["@reboot true", /@reboot cannot be a schedule.*start it as a service/],
  ["@every true", /expected @every with a duration/],
  ["@fortnightly true", /expected one of @yearly.* got "@fortnightly"/],
  ["CRON_TZ=Mars/Olympus", /CRON_TZ: expected an IANA time zone.* got "Mars\/Olympus"/],
  ['"MY NAME"=x', /expected a variable name.* got "MY NAME"/],
  ["# punctual: minutes", /expected "# punctual: seconds"/],
];

test.each(bad)("%j is refused", (line, message) => {
  const { jobs, issues } = readCrontab(`\n${line}\n`);
  expect(jobs).toEqual([]);
  expect(issues).toEqual([{ path: "line 2", message: expect.stringMatching(message) }]);
});

test("all bad lines are told at once, and nothing is given", () => {
  const text = ["* * * * * fine", "61 * * * * bad", "# ok", "@reboot worse"].join("\n");
  let error: unknown;
  try {
    parseCrontab(text, {}, "/etc/crontab");
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(PunctualError);
  expect(error).toMatchObject({
    code: "invalid",
    message: expect.stringMatching(/^\/etc\/crontab: line 2: minute, column 1: .*; line 4: @reboot/),
    issues: [{ path: "line 2" }, { path: "line 4" }],
  });
});

test("a line without seconds in a part with seconds is told so", () => {
  const { issues } = readCrontab("# punctual: seconds\n*/5 * * * * backup --full");
  expect(issues[0]?.message).toMatch(
    /day of week, column 13: .* got "backup".* \(lines begin with seconds here\)/,
  );
});

test("a user column without a user is refused", () => {
  const { issues } = readCrontab("* * * * * /bin/true", { userColumn: true });
  expect(issues[0]?.message).toMatch(/expected a user name and a command, got "\/bin\/true"/);
});

test.each<[CrontabOptions, RegExp]>([
  [{ queue: "a.b" }, /^queue: expected/],
  [{ prefix: "a b" }, /^prefix: expected/],
  [{ prefix: "a".repeat(65) }, /^prefix: expected at most 64/],
  [{ timeZone: "Berlin" }, /^timeZone: expected an IANA time zone/],
])("the options %j are refused", (options, message) => {
  expect(() => readCrontab("", options)).toThrow(message);
});

test("ids come from the command, whatever the times and the order", () => {
  const before = parseCrontab("0 3 * * * /opt/backup --full >/dev/null 2>&1\n@daily report");
  const after = parseCrontab("@weekly report\n30 4 * * * /opt/backup --full >/dev/null 2>&1");
  expect(before.map(({ id }) => id)).toEqual(["backup-full-18ac31ac", "report-0dd53cb3"]);
  expect(after.map(({ id }) => id)).toEqual(before.map(({ id }) => id).reverse());
});

test("ids differ for commands that differ, and for the same command on two lines", () => {
  const lines = ["a b", "a-b", "a b", "a b", "cat%x", "cat%y", "!!!", "ls /x", `x${"y".repeat(300)}`];
  const ids = parseCrontab(lines.map((line) => `* * * * * ${line}`).join("\n")).map(({ id }) => id);
  expect(new Set(ids).size).toBe(lines.length);
  expect(ids[2]).toBe(`${ids[0]}-2`);
  expect(ids[3]).toBe(`${ids[0]}-3`);
  for (const id of ids) expect(id).toMatch(/^[a-z0-9][a-z0-9-]{0,127}$/);
});

test("the example is a crontab, with something to see at once", () => {
  const path = new URL("../../deploy/examples/crontab", import.meta.url);
  const jobs = parseCrontab(readFileSync(path, "utf8"));
  expect(jobs.length).toBeGreaterThan(20);
  expect(jobs.filter(({ schedule }) => schedule.cron === "* * * * * *")).toHaveLength(8);
  expect(jobs.some(({ schedule }) => schedule.timeZone === "Europe/Berlin")).toBe(true);
});
