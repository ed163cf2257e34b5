import { expect, test } from "vitest";
import { fakeCli } from "./context.js";

test("a job is queued with what the flags say", async () => {
  const cli = fakeCli();
  const { exitCode, stdout } = await cli.argv(
    ...["enqueue", "mail", '{"to":1}', "--id", "o:1", "--unique", "o1", "--timeout", "5s"],
    ...["--retry-max-attempts", "2"],
  );
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "o:1 queued\n" });
  expect(cli.server.published[0]).toMatchObject({
    subject: "test.work.mail.o1",
    msgId: "o:1/1",
    headers: { "Punctual-Max-Attempts": "2", "Punctual-Timeout": "5000" },
  });
});

test("a job that is there already is no failure, and programs can tell", async () => {
  const cli = fakeCli();
  cli.server.outcomes.push({ kind: "taken" }, { kind: "taken" });
  expect(await cli.punctual("enqueue mail --id a")).toMatchObject({
    exitCode: 0,
    stdout: "a not queued: it is queued or running already\n",
  });
  expect((await cli.punctual("enqueue mail --id a --json")).stdout).toBe('{"runId":"a","accepted":false}\n');
});

test.each([
  ["enqueue a.b", /QUEUE: expected 1 to 64 characters .* got "a\.b"/],
  ["enqueue a hello", /PAYLOAD: expected JSON, got "hello"/],
  ["enqueue a --key a.b", /--key: expected 1 to 128 characters .*, got "a.b"/],
  ["enqueue a --unique-for 10m", /--unique-for: goes with unique/],
  ["enqueue a --unique k --unique-for 1ms", /--unique-for: expected 1s to 31d, got "1ms"/],
  ["enqueue a --priority urgent", /--priority: expected one of "high"\|"normal"\|"low", got "urgent"/],
  ["enqueue a --at tomorrow", /--at: expected an RFC 3339 time .* got "tomorrow"/],
  ["enqueue a --delay soon", /--delay: expected a duration .* got "soon"/],
  ["enqueue a --delay 1s --at 2040-01-01T00:00:00Z", /--delay: expected one of at, delay, got both/],
  ["enqueue a --label te!am=x", /--label.*: expected 1 to 63 characters/],
  ["enqueue a --id .", /--id: expected 1 to 128 characters .* got "\."/],
  ["enqueue a --unique *", /--unique: expected 1 to 128 characters .* got "\*"/],
  ["enqueue a --lines - --group g/0", /--lines: goes with neither/],
  ["enqueue a --lines - --id x", /--lines: goes with neither PAYLOAD, --id, --unique nor --group/],
  ["enqueue a --retry-max-attempts 101", /--retry-max-attempts: .* got 101/],
])("%j is refused before anything is connected", async (line, message) => {
  const cli = fakeCli();
  const { exitCode, stderr } = await cli.punctual(line);
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(message);
  expect(cli.seen.connects).toEqual([]);
});

test("a full queue has a status of its own", async () => {
  const cli = fakeCli();
  cli.server.outcomes.push({ kind: "full", reason: "maximum messages exceeded" });
  expect(await cli.punctual("enqueue a")).toMatchObject({ exitCode: 8, stdout: "" });
});

test("lines become jobs; one that is refused does not hold up the others", async () => {
  const cli = fakeCli({ files: { jobs: '1\n\n{"a":2}\n3\n' } });
  cli.server.outcomes.push({ kind: "stored", seq: 1 }, { kind: "full", reason: "full" });
  const { exitCode, stdout, stderr } = await cli.punctual("enqueue a --lines jobs --json");
  expect(exitCode).toBe(8);
  expect(stdout).toBe(
    '{"line":1,"runId":"id-1","accepted":true,"state":"queued"}\n{"line":4,"runId":"id-3","accepted":true,"state":"queued"}\n',
  );
  expect(stderr).toMatch(/line 3: .*the queue is full/);
  expect(stderr).toMatch(/2 queued, 0 queued or running already, 1 failed/);
});

test("a line that is not JSON ends the reading, and what was queued is told", async () => {
  const cli = fakeCli({ files: { jobs: "1\nx\n3\n" } });
  const { exitCode, stdout, stderr } = await cli.punctual("enqueue a --lines jobs");
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "id-1 queued\n" });
  expect(stderr).toMatch(/^1 queued, .*\npunctual: jobs line 2: expected JSON, got "x"\n$/);
});

test("a job for later waits, under what it is cancelled by", async () => {
  const cli = fakeCli();
  const line = "enqueue mail --id a --at 2040-01-02T03:04:05Z --start-deadline 1m --label team=red";
  expect(await cli.punctual(line)).toMatchObject({
    exitCode: 0,
    stdout: "a@20400102T030405Z waits for its time\n",
  });
  expect(cli.server.published[0]).toMatchObject({
    subject: expect.stringMatching(/^test\.timers\.\d\.20400102\.0304$/),
    msgId: "a",
    headers: {
      "Punctual-At": "2040-01-02T03:04:05.000Z",
      "Punctual-Subject": "test.work.mail.a",
      "Punctual-Start-Deadline": "2040-01-02T03:05:05.000Z",
      "Punctual-Labels": "team=red",
    },
  });
});

test("jobs for later are listed, page after page, as far as they are asked for", async () => {
  const cli = fakeCli();
  const row = { queue: "mail", lane: "work", key: null, labels: {}, scheduleId: null, attempts: 0 };
  const at = (runId: string) => ({
    ...row,
    runId,
    timer: `${runId}@20400102T030405Z`,
    at: "2040-01-02T03:04:05.000Z",
  });
  cli.server.answers.push({ jobs: [at("a")], next: "1-0-1" }, { jobs: [at("b"), at("c")], next: "1-0-3" });
  const { stdout } = await cli.punctual("job list --queue mail --to 2041-01-01T00:00:00Z --limit 2");
  expect(stdout).toMatch(
    /^DUE +QUEUE +TIMER +ATTEMPTS\n2040-01-02 03:04:05Z +mail +a@20400102T030405Z +0\n.*b@.*\n$/,
  );
  const asked = { queue: "mail", to: "2041-01-01T00:00:00.000Z", limit: 2 };
  expect(cli.server.calls.map(({ request }) => request)).toEqual([asked, { ...asked, after: "1-0-1" }]);
  cli.server.answers.push({ jobs: [at("a")], next: null }, { jobs: [], next: null });
  expect((await cli.punctual("job list --quiet")).stdout).toBe("a@20400102T030405Z\n");
  expect((await cli.punctual("job list")).stderr).toBe("no job waits for its time\n");
});

test("it is cancelled and rescheduled by that", async () => {
  const cli = fakeCli();
  cli.server.answers.push({ runId: "a" }, { runId: "a", timer: "a@20410102T030405Z" });
  expect((await cli.punctual("job cancel a@20400102T030405Z")).stdout).toBe("a@20400102T030405Z cancelled\n");
  const moved = await cli.punctual("job reschedule a@20400102T030405Z --at 2041-01-02T03:04:05Z");
  expect(moved.stdout).toBe("a@20410102T030405Z waits\n");
  expect(cli.server.calls).toMatchObject([
    { endpoint: "job.cancel", request: { timer: "a@20400102T030405Z" } },
    { endpoint: "job.reschedule", request: { timer: "a@20400102T030405Z", at: "2041-01-02T03:04:05Z" } },
  ]);
});

test.each([
  ["job list --from soon", /--from: expected an RFC 3339 time .*got "soon"/],
  ["job list --queue a.b", /--queue: expected 1 to 64 characters .*got "a.b"/],
  ["job list --limit 0", /--limit: expected a whole number of 1 or more, got "0"/],
  ["job cancel a", /timer: expected <id>@<time> .* got "a"/],
  ["job reschedule a@20400102T030405Z", /at: expected one of at, delay/],
  ["job reschedule a@20400102T030405Z --at x", /at: expected an RFC 3339 time .* got "x"/],
])("%j is refused", async (line, message) => {
  const cli = fakeCli();
  const { exitCode, stderr } = await cli.punctual(line);
  expect(stderr).toMatch(message);
  expect(exitCode).not.toBe(0);
  expect(cli.server.calls).toEqual([]);
});
