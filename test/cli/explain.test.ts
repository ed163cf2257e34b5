import { expect, test } from "vitest";
import { fakeCli } from "./context.js";

const at = "2026-01-01T12:00:00.000Z";
const common = { id: "x", at, revision: 3, runId: "x:20260101T120000Z", events: [] };

test("an explanation is a code, a sentence, and the fire times around", async () => {
  const cli = fakeCli();
  const nearest = { before: "2026-01-01T11:00:00.000Z", after: null };
  cli.server.answers.push({ ...common, code: "not-a-fire-time", text: "It is no fire time.", nearest });
  const { stdout } = await cli.punctual("schedule explain x --at 2026-01-01T13:00:00+01:00");
  expect(stdout.split("\n")).toEqual([
    "x at 2026-01-01 12:00:00Z: not-a-fire-time",
    "It is no fire time.",
    "before it: 2026-01-01 11:00:00Z",
    "after it: none",
    "",
  ]);
  expect(cli.server.calls).toEqual([{ endpoint: "schedule.explain", request: { id: "x", at } }]);
});

test("the events of a run are a table, and all is JSON for programs", async () => {
  const cli = fakeCli();
  const events = [{ type: "succeeded", at, data: { attempt: 1 } }];
  const answer = { ...common, code: "fired", text: "It fired; the run succeeded.", events };
  cli.server.answers.push(answer, answer);
  const { stdout } = await cli.argv("schedule", "explain", "x", "--at", at);
  expect(stdout.split("\n").slice(2)).toEqual([
    "run x:20260101T120000Z",
    "WHEN                  EVENT      DATA",
    '2026-01-01 12:00:00Z  succeeded  {"attempt":1}',
    "",
  ]);
  expect(JSON.parse((await cli.argv("schedule", "explain", "x", "--at", at, "--json")).stdout)).toEqual(
    answer,
  );
});

test.each([
  ["schedule explain x", /required option '--at <time>'/],
  ["schedule explain x --at noon", /--at: expected an RFC 3339 time .* got "noon"/],
  ["schedule explain a.b --at 2026-01-01T00:00:00Z", /ID: expected 1 to 128 characters/],
])("%j is refused", async (line, message) => {
  const { exitCode, stderr } = await fakeCli().punctual(line);
  expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringMatching(message) });
});
