import { expect, test } from "vitest";
import { fakeCli } from "./context.js";

const summary = {
  ...{ id: "job-1", state: "succeeded", reason: null, error: null, queue: "emails", scheduleId: null },
  ...{
    fireTime: null,
    trigger: null,
    parent: null,
    labels: {},
    worker: null,
    queuedAt: "2026-01-01T00:00:00.000Z",
  },
  ...{ startedAt: "2026-01-01T00:00:01.000Z", endedAt: "2026-01-01T00:00:02.250Z", durationMs: 1_250 },
  ...{ nextAt: null, attempts: 2, progress: null, slots: null },
};
const skipped = {
  ...{
    ...summary,
    id: "s:20260101T000000Z",
    state: "skipped",
    queuedAt: null,
    endedAt: null,
    durationMs: null,
  },
  ...{ attempts: 0, fireTime: "2026-01-01T00:00:00.000Z" },
  slots: { from: "2026-01-01T00:00:00.000Z", to: "2026-01-01T00:02:00.000Z", count: 3 },
};
const attempt = { startedAt: null, durationMs: null, worker: null, stack: null };
const view = {
  ...summary,
  ...{ lane: "work", subject: "punctual.work.emails.job-1", seq: 7, result: { sent: 1 }, logLines: 0 },
  attemptList: [
    { ...attempt, number: 1, endedAt: "2026-01-01T00:00:00.500Z", outcome: "failed", error: "no\nat all" },
    { ...attempt, number: 2, endedAt: summary.endedAt, outcome: "succeeded", error: null },
  ],
  waterfall: [
    { step: "due", at: null, afterMs: null },
    { step: "stored", at: summary.queuedAt, afterMs: 0 },
    { step: "acknowledged", at: summary.endedAt, afterMs: 2_250 },
  ],
  explanation: "it is done; 2 attempts",
};

test("runs are listed, page after page, up to a limit", async () => {
  const cli = fakeCli();
  cli.server.answers.push({ runs: [summary], next: "1z" }, { runs: [skipped, summary], next: "1a" });
  const { stdout } = await cli.punctual("runs list --queue emails --state succeeded,skipped --limit 2");
  expect(stdout.split("\n")).toEqual([
    "ID                            STATE      QUEUE   DUE                   QUEUED                DONE                      DURATION  ATTEMPTS",
    "job-1                         succeeded  emails  -                     2026-01-01 00:00:00Z  2026-01-01 00:00:02.250Z  1.3 s     2",
    "s:20260101T000000Z (3 slots) skipped    emails  2026-01-01 00:00:00Z  -                     -                         -         0".replace(
      "slots) s",
      "slots)  s",
    ),
    "",
  ]);
  expect(cli.server.calls.map(({ request }) => request)).toEqual([
    { queue: "emails", states: ["succeeded", "skipped"], limit: 2 },
    { queue: "emails", states: ["succeeded", "skipped"], limit: 2, after: "1z" },
  ]);
});

test("for programs, and only the ids", async () => {
  const cli = fakeCli();
  cli.server.answers.push(
    { runs: [summary], next: null },
    { runs: [summary], next: null },
    { runs: [], next: null },
  );
  expect(JSON.parse((await cli.punctual("runs list --json")).stdout)).toEqual([summary]);
  expect((await cli.punctual("run list --quiet")).stdout).toBe("job-1\n");
  expect((await cli.punctual("runs list")).stderr).toMatch(/^no such runs/);
});

test("a run is shown with its way and its attempts", async () => {
  const cli = fakeCli();
  cli.server.answers.push(view);
  const { stdout } = await cli.punctual("runs get job-1");
  expect(stdout).toMatch(/^RUN +job-1\nstate +succeeded\n +it is done; 2 attempts\n/);
  expect(stdout).toMatch(/result +\{"sent":1\}\n/);
  expect(stdout).toMatch(/\nacknowledged +2026-01-01 00:00:02.250Z +\+2.3 s\n/);
  expect(stdout).toMatch(/\n1 +- +- +2026-01-01 00:00:00.500Z +- +failed +no\n/);
  expect(cli.server.calls).toEqual([{ endpoint: "run.get", request: { id: "job-1" } }]);
});

test.each([
  ["runs list --state done", /--state: expected one of waiting, queued.*got "done"/],
  ["runs list --from soon", /--from: expected an RFC 3339.*got "soon"/],
  ["runs list --limit 0", /--limit: expected a whole number of 1 or more, got "0"/],
  ["runs list --queue a.b", /--queue: expected 1 to 64 characters/],
  ["runs list --label =", /--label: expected key=value/],
  ["runs get a.b", /ID: expected the id of a run/],
])("%s is refused", async (line, message) => {
  const { exitCode, stderr } = await fakeCli().punctual(line);
  expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringMatching(message) });
});

const never = new Promise<void>(() => {});

test("a run is followed until it is over", async () => {
  const cli = fakeCli({ stopped: never });
  const running = {
    ...summary,
    state: "running",
    endedAt: null,
    durationMs: null,
    progress: 0.5,
    attempts: 1,
  };
  cli.server.answers.push(
    { runs: [running], next: "a" },
    { runs: [], next: "b" },
    { runs: [summary], next: "c" },
  );
  const { stdout } = await cli.punctual("runs watch job-1");
  expect(stdout.split("\n")).toEqual([
    "2026-01-01 00:00:01Z  job-1  running  0.5",
    "2026-01-01 00:00:02.250Z  job-1  succeeded  attempt 2  1.3 s",
    "",
  ]);
  expect(cli.server.calls.map(({ request }) => request)).toEqual([
    { id: "job-1" },
    { id: "job-1", after: "a" },
    { id: "job-1", after: "b" },
  ]);
});

test("changes of all runs are followed until somebody ends it", async () => {
  const cli = fakeCli();
  cli.server.answers.push({ runs: [], next: "a" });
  expect(await cli.punctual("runs watch --queue emails")).toMatchObject({ exitCode: 0, stdout: "" });
  expect(cli.server.calls[0]?.request).toEqual({ queue: "emails" });
});

test("a log is shown, page after page", async () => {
  const cli = fakeCli({ stopped: never });
  const line = {
    time: "2026-01-01T00:00:00.000Z",
    level: "info",
    msg: "sent",
    data: { to: "you" },
    attempt: 1,
  };
  const { data: _, ...plain } = line;
  cli.server.answers.push(
    { lines: [line], total: 2, isOver: true },
    { lines: [plain], total: 2, isOver: true },
  );
  expect((await cli.punctual("runs logs job-1")).stdout.split("\n")).toEqual([
    '2026-01-01 00:00:00Z  1  info   sent  {"to":"you"}',
    "2026-01-01 00:00:00Z  1  info   sent",
    "",
  ]);
  expect(cli.server.calls[1]?.request).toEqual({ id: "job-1", skip: 1 });
});

test("a run is cancelled, and run once more", async () => {
  const cli = fakeCli();
  cli.server.answers.push(
    { id: "job-1", outcome: "removed" },
    { id: "job-1", runId: "s:manual-1", from: "schedule" },
  );
  expect((await cli.punctual("runs cancel job-1 --force")).stdout).toBe("job-1: taken from its queue\n");
  expect((await cli.punctual("runs retry job-1")).stdout).toBe("s:manual-1 (from the schedule)\n");
  expect(cli.server.calls.map(({ request }) => request)).toMatchObject([
    { id: "job-1", force: true },
    { id: "job-1" },
  ]);
});
