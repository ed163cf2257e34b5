import { describe, expect, test } from "vitest";
import { viewOf } from "../client/fakes.js";
import { fakeCli } from "./context.js";

describe("labels", () => {
  test("are put one flag each, over those of a file", async () => {
    const cli = fakeCli({ files: { "s.json": '{"every":"5s","labels":{"a":"1","b":"1"}}' } });
    cli.server.answers.push(viewOf("x"));
    await cli.punctual("schedule put x --file s.json --label b=2 --label example.com/c=");
    const labels = { a: "1", b: "2", "example.com/c": "" };
    expect(cli.server.calls[0]?.request).toEqual({ id: "x", schedule: { every: "5s", labels } });
  });

  test("cut a list down", async () => {
    const cli = fakeCli();
    cli.server.answers.push({ schedules: [], next: null });
    const { stderr } = await cli.punctual("schedule list --label team=billing --label env!=test");
    expect(cli.server.calls[0]?.request).toEqual({ limit: 1_000, selector: "team=billing,env!=test" });
    expect(stderr).toBe("no schedules with team=billing,env!=test\n");
  });

  test.each([
    ["schedule list --label =x", /--label: expected key=value, .* got "=x"/],
    ["schedule pause --label a=b=c", /--label: expected key=value, .* got "a=b=c"/],
    ["schedule pause", /expected either an ID or --label/],
    ["schedule resume a --label b", /expected either an ID or --label/],
    ["schedule put x --every 5s --label novalue", /--label: expected "key=value", got "novalue"/],
    ["schedule put x --every 5s --label team=a/b", /--label team: expected 1 to 63 characters/],
  ])("%j is refused before anything is connected", async (line, message) => {
    const cli = fakeCli();
    const { exitCode, stderr } = await cli.punctual(line);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(message);
    expect(cli.seen.connects).toEqual([]);
  });
});

describe("a bulk change", () => {
  test("goes through all pages and says how many", async () => {
    const cli = fakeCli();
    const page = { matched: 100, changed: 90, failed: [], next: "m" };
    cli.server.answers.push(page, { ...page, matched: 5, changed: 5, next: null });
    const { stdout, exitCode } = await cli.argv("schedule", "pause", "--label", "team=x", "--note", "why");
    expect({ stdout, exitCode }).toEqual({ stdout: "95 paused, 10 were so already\n", exitCode: 0 });
    const request = { action: "pause", selector: "team=x", note: "why" };
    expect(cli.server.calls.map((call) => call.request)).toEqual([request, { ...request, after: "m" }]);
  });

  test("fails when some could not be changed, and names them", async () => {
    const cli = fakeCli();
    const failed = [{ id: "busy", message: "is being changed by others" }];
    cli.server.answers.push({ matched: 2, changed: 1, failed, next: null });
    const { stdout, stderr, exitCode } = await cli.punctual("schedule resume --label a");
    expect(exitCode).toBe(5);
    expect(stdout).toBe("1 resumed\n");
    expect(stderr).toBe("busy: is being changed by others\npunctual: 1 of 2 were not resumed; do it again\n");
  });
});

describe("patch", () => {
  const patched = async (...args: string[]) => {
    const cli = fakeCli();
    cli.server.answers.push(viewOf("x"));
    const { stdout, stderr, exitCode } = await cli.argv("schedule", "patch", "x", ...args);
    return { request: cli.server.calls[0]?.request, stdout, stderr, exitCode };
  };

  test("sends what is given", async () => {
    const { request, stdout } = await patched("--queue", "q", "--label", "a=b", "--if-revision", "7");
    expect(request).toEqual({ id: "x", ifRevision: 7, patch: { queue: "q", labels: { a: "b" } } });
    expect(stdout).toBe("x is at revision 7, next 2026-07-30 03:00:00Z\n");
  });

  test("warns of what the schedule is then", async () => {
    const cli = fakeCli();
    cli.server.answers.push(viewOf("x", { cron: "*/7 * * * *" }));
    const { stderr } = await cli.argv("schedule", "patch", "x", "--cron", "*/7 * * * *");
    expect(stderr).toMatch(/^warning: uneven-step: /);
  });

  test("removes what is unset, and keeps what is given beside it", async () => {
    const { request } = await patched(
      ...["--unset", "timeout", "--unset", "labels.example.com/a", "--unset", "labels.b", "--label", "c=d"],
    );
    const labels = { "example.com/a": null, b: null, c: "d" };
    expect(request).toEqual({ id: "x", patch: { timeout: null, labels } });
  });

  test("gives a new form of time the place of the old one", async () => {
    const gone = { cron: null, timeZone: null, dst: null, at: null, ifPast: null, rrule: null, start: null };
    const patch = { ...gone, include: null, every: "5m" };
    expect((await patched("--every", "5m")).request).toEqual({ id: "x", patch });
    const { request } = await patched("--cron", "0 4 * * *");
    expect(request).toMatchObject({ patch: { cron: "0 4 * * *", every: null, anchor: null } });
    expect(request).not.toHaveProperty("patch.timeZone"); // it stays
    expect((await patched("--time-zone", "UTC")).request).toEqual({ id: "x", patch: { timeZone: "UTC" } });
  });

  test("of nothing is refused", async () => {
    expect(await patched()).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/expected something to change/),
    });
    for (const field of [".a", "timout", "toString", "label.a"]) {
      expect(await patched("--unset", field)).toMatchObject({
        exitCode: 2,
        stderr: expect.stringMatching(/--unset: expected a field/),
      });
    }
    expect(await patched("--if-revision", "0")).toMatchObject({ exitCode: 2 });
  });
});

test("whoever is at the keyboard, or is named, is told with a change", async () => {
  const cli = fakeCli({ env: { PUNCTUAL_AUTHOR: "pipeline" } });
  cli.server.answers.push(viewOf("x"), viewOf("x"));
  await cli.punctual("schedule resume x");
  await cli.punctual("schedule resume x --author ben");
  const plain = fakeCli();
  plain.server.answers.push(viewOf("x"));
  await plain.punctual("schedule resume x");
  expect([...cli.seen.authors, ...plain.seen.authors]).toEqual(["pipeline", "ben", "tester@here"]);
});

test("a history is a table, a line for each field", async () => {
  const cli = fakeCli();
  const common = { changedBy: "anna", changedAt: "2026-01-02T03:04:05.000Z", more: 0, changes: [] };
  const changes = [
    { field: "cron", from: "0 3 * * *", to: "0 4 * * *" },
    { field: "timeout", to: "5m" },
  ];
  const revisions = [
    { ...common, revision: 9, action: "changed", changes, more: 2 },
    { ...common, revision: 4, action: "created", changedBy: undefined },
  ];
  cli.server.answers.push({ id: "x", revisions, complete: false });
  const { stdout, stderr } = await cli.punctual("schedule history x");
  expect(stdout.split("\n")).toEqual([
    "REVISION  WHEN                  WHO   WHAT",
    "9         2026-01-02 03:04:05Z  anna  changed",
    '                                      cron: "0 3 * * *" → "0 4 * * *"',
    '                                      timeout: none → "5m"',
    "                                      and 2 more",
    "4         2026-01-02 03:04:05Z  ?     created",
    "",
  ]);
  expect(stderr).toBe("older revisions are no longer kept\n");
});

test("a trigger sends what is to be different", async () => {
  const cli = fakeCli();
  cli.server.answers.push({ runId: "x:manual-1", accepted: true });
  await cli.argv(
    ...["schedule", "trigger", "x", "--overlap", "allow", "--payload", '{"a":1}', "--header", "X-A: b"],
  );
  const request = { id: "x", overlap: "allow", payload: { a: 1 }, headers: { "X-A": "b" } };
  expect(cli.server.calls[0]?.request).toEqual(request);
  const refused = await cli.punctual("schedule trigger x --overlap never");
  expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/--overlap: .* got "never"/) });
});
