import { expect, test } from "vitest";
import { fakeCli } from "./context.js";

test("findings of a line are the result, and the exit status is 1", async () => {
  const cli = fakeCli();
  const { exitCode, stdout } = await cli.argv("lint", "*/7 * 31 * *");
  expect(exitCode).toBe(1);
  expect(stdout.split("\n").map((line) => line.split(":")[0])).toEqual(["uneven-step", "skips-months", ""]);
  expect(cli.seen.connects).toEqual([]);
});

test("without findings it says so on stderr, and the exit status is 0", async () => {
  const cli = fakeCli();
  expect(await cli.argv("lint", "0 12 * * *")).toEqual({
    exitCode: 0,
    stdout: "",
    stderr: "nothing found\n",
  });
  expect((await cli.argv("lint", "0 12 * * *", "--json")).stdout).toBe("[]\n");
});

test("an interval is linted too", async () => {
  const { exitCode, stdout } = await fakeCli().punctual("lint --every 500ms --json");
  expect(exitCode).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject([{ code: "faster-than-second" }]);
});

test("a line that is none is refused, not linted", async () => {
  const { exitCode, stderr } = await fakeCli().argv("lint", "0 0 30 2 *");
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(/LINE: .* can never fire/);
});

test("without a line, the stored schedules are linted, and those that collide", async () => {
  const cli = fakeCli();
  const view = (id: string, schedule: object) => ({
    ...{ id, revision: 1, shard: 0, nextFireTime: "2026-07-30T03:00:00.000Z" },
    schedule,
  });
  const crowd = Array.from({ length: 50 }, (_, i) => view(`job-${i}`, { cron: "0 3 * * *" }));
  const schedules = [view("odd", { cron: "*/7 12 * * *" }), ...crowd];
  cli.server.answers.push({ schedules, next: null });
  const { exitCode, stdout } = await cli.punctual("lint --json");
  expect(exitCode).toBe(1);
  const found = JSON.parse(stdout);
  expect(found).toMatchObject([{ id: "odd", code: "uneven-step" }, { code: "collision" }]);
  expect(found[1].message).toMatch(/^50 schedules fire at .*T03:00:00\.000Z, among them job-0/);
});

test("putting a schedule warns on stderr", async () => {
  const cli = fakeCli();
  cli.server.answers.push({
    ...{ id: "x", revision: 1, shard: 0, nextFireTime: "2026-07-30T03:00:00.000Z" },
    schedule: { cron: "*/7 * * * *" },
  });
  const { exitCode, stdout, stderr } = await cli.argv("schedule", "put", "x", "--cron", "*/7 * * * *");
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "x stored, next 2026-07-30 03:00:00Z\n" });
  expect(stderr).toMatch(/^warning: uneven-step: minute \*\/7 /);
});

test("a preview warns on stderr", async () => {
  const { stderr } = await fakeCli().argv("preview", "0 0 13 * fri", "--from", "2026-01-01");
  expect(stderr).toMatch(/^warning: day-or: /m);
});
