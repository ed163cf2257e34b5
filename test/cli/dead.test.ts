import { expect, test } from "vitest";
import { PunctualError } from "../../src/core/errors.js";
import { fakeCli } from "./context.js";

const row = {
  ...{ id: 17, queue: "mail", runId: "welcome", scheduleId: null, reason: "not retryable", attempts: 2 },
  ...{ error: "no route", diedAt: "2026-01-01T00:00:00.000Z", bodyBytes: 12 },
};

test("dead letters are listed by what is given, the newest first", async () => {
  const cli = fakeCli();
  cli.server.answers.push({ letters: [row], next: null }, { letters: [], next: null });
  const { stdout } = await cli.punctual("dead list --queue mail --error route --since 2026-01-01T00:00:00Z");
  expect(stdout.split("\n").slice(0, 2)).toEqual([
    "ID  DIED                  QUEUE  RUN      ATTEMPTS  REASON         ERROR",
    "17  2026-01-01 00:00:00Z  mail   welcome  2         not retryable  no route",
  ]);
  const filter = { queue: "mail", error: "route", since: "2026-01-01T00:00:00.000Z" };
  expect(cli.server.calls).toEqual([{ endpoint: "dead.list", request: { filter, limit: 500 } }]);
  expect(await cli.punctual("dead list")).toMatchObject({
    exitCode: 0,
    stdout: "",
    stderr: "no dead letters\n",
  });
});

test("one is shown with the error of every attempt", async () => {
  const cli = fakeCli();
  const failures = [{ attempt: 1, at: row.diedAt, error: "no route at all", delayMs: 500 }];
  const body = { encoding: "json", payload: { to: "you" }, headers: { "X-Trace": "t" } };
  cli.server.answers.push({ ...row, ...body, stack: null, subject: "s", failures });
  const { stdout } = await cli.punctual("dead show 17");
  expect(stdout).toMatch(/payload +\{"to":"you"\}/);
  expect(stdout).toMatch(/header X-Trace +t\n/);
  expect(stdout).toMatch(/1 +2026-01-01 00:00:00Z +500 ms +no route at all/);
});

test("many are retried page after page, and those that stay make it fail", async () => {
  const cli = fakeCli();
  cli.server.answers.push(
    { retried: [{ id: 17, runId: "welcome:retry-7", to: "queue" }], kept: [], next: "18-20", waitMs: 0 },
    { retried: [], kept: [{ id: 18, message: "letter 18 stays: taken" }], next: null, waitMs: 0 },
  );
  const { exitCode, stdout, stderr } = await cli.punctual("dead retry --queue mail --rate 5/m");
  expect(stdout).toBe("17 is queued as welcome:retry-7\n");
  expect(stderr).toMatch(/letter 18 stays: taken\n1 retried, 1 stay\n/);
  expect(exitCode).toBe(5);
  expect(cli.server.calls.map(({ request }) => request)).toMatchObject([
    { filter: { queue: "mail" }, rate: "5/m" },
    { filter: { queue: "mail" }, rate: "5/m", cursor: "18-20" },
  ]);
});

test("everything is thrown away only when it is asked for", async () => {
  const cli = fakeCli();
  cli.server.answers.push({ discarded: 3, next: null });
  expect((await cli.punctual("dead discard --all")).stdout).toBe("3 discarded\n");
  expect(cli.server.calls[0]?.request).toMatchObject({ all: true });
});

test.each([
  ["dead discard", /expected one of an ID, flags that choose by, as --queue mail, and --all/],
  ["dead retry 17 --queue mail", /expected one of an ID/],
  ["dead retry --all --queue mail", /expected one of an ID/],
  ["dead show x", /ID: expected the number of a dead letter, got "x"/],
  ["dead list --since soon", /--since: expected an RFC 3339 .* got "soon"/],
  ["dead list --queue a.b", /--queue: expected 1 to 64 characters/],
  ["dead retry --all --rate fast", /--rate: expected a rate such as "10\/s"/],
])("%s is refused", async (line, message) => {
  const { exitCode, stderr } = await fakeCli().punctual(line);
  expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringMatching(message) });
});

test("a letter that goes back to the front door is not said to be queued", async () => {
  const cli = fakeCli();
  cli.server.answers.push({ id: 17, runId: "j9:retry-in9", to: "front door" });
  expect((await cli.punctual("dead retry 17")).stdout).toBe(
    "17 went back to the front door as j9:retry-in9; if it is refused there again, it becomes a letter again\n",
  );
});

test("a letter whose job waits at the gate of its queue is not said to be queued", async () => {
  const cli = fakeCli();
  cli.server.answers.push({ id: 17, runId: "j9:retry-9", to: "gate" });
  expect((await cli.punctual("dead retry 17")).stdout).toBe(
    "17 waits at the gate of its queue as j9:retry-9\n",
  );
});

test("a letter that is gone points to the list", async () => {
  const cli = fakeCli();
  cli.server.answers.push(new PunctualError("not_found", "dead letter 17 does not exist"));
  expect(await cli.punctual("dead retry 17")).toMatchObject({
    exitCode: 4,
    stderr: 'punctual: dead letter 17 does not exist; see "punctual dead list"\n',
  });
});
