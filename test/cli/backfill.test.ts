import { expect, test } from "vitest";
import { fakeCli } from "./context.js";

const view = {
  ...{ id: "b0f3a91c27", scheduleId: "x", from: "2026-01-01T00:00:00.000Z", to: "2026-01-02T00:00:00.000Z" },
  ...{ reprocess: "none", backwards: false, rate: "10/s", state: "running", at: null, slots: 24 },
  ...{ queued: 3, passedBy: 2, missed: 1, createdAt: "2026-02-01T00:00:00.000Z", createdBy: "anna" },
  changedAt: "2026-02-01T00:00:01.000Z",
};
const range = ["--from", "2026-01-01T00:00:00Z", "--to", "2026-01-02T00:00:00Z"];

test("a backfill is begun with what is given", async () => {
  const cli = fakeCli();
  cli.server.answers.push({ backfill: view, plan: null });
  const { stdout } = await cli.argv(
    ...["schedule", "backfill", "x", ...range, "--rate", "5/m", "--reprocess", "failed", "--backwards"],
  );
  expect(stdout).toBe('b0f3a91c27 begun: 24 slots; see "punctual backfill get b0f3a91c27"\n');
  expect(cli.server.calls).toEqual([
    {
      endpoint: "backfill.create",
      request: {
        scheduleId: "x",
        from: "2026-01-01T00:00:00.000Z",
        to: "2026-01-02T00:00:00.000Z",
        rate: "5/m",
        reprocess: "failed",
        backwards: true,
      },
    },
  ]);
});

test("a dry run shows what would run", async () => {
  const cli = fakeCli();
  const plan = { slots: 5_000, looked: 1_000, runs: 2, first: [view.from, view.to] };
  cli.server.answers.push({ backfill: null, plan });
  const { stdout } = await cli.argv("schedule", "backfill", "x", ...range, "--dry-run");
  expect(stdout.split("\n")).toEqual([
    "2 of the first 1000 of 5000 slots would run",
    "2026-01-01 00:00:00Z",
    "2026-01-02 00:00:00Z",
    "",
  ]);
  expect(cli.server.calls[0]?.request).toMatchObject({ dryRun: true });
});

test.each([
  [["x", "--from", "soon", "--to", "2026-01-02T00:00:00Z"], /--from: expected an RFC 3339 .* got "soon"/],
  [["x", ...range, "--rate", "fast"], /--rate: expected a rate such as "10\/s".* got "fast"/],
  [["x", ...range, "--reprocess", "some"], /--reprocess: .* got "some"/],
  [["x", "--from", "2026-01-02T00:00:00Z"], /required option '--to <time>'/],
  [["a.b", ...range], /ID: expected 1 to 128 characters/],
])("%j is refused", async (args, message) => {
  const { exitCode, stderr } = await fakeCli().argv("schedule", "backfill", ...args);
  expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringMatching(message) });
});

test("backfills are listed, shown and cancelled", async () => {
  const cli = fakeCli();
  const failed = { ...view, state: "failed", reason: "the schedule was deleted" };
  cli.server.answers.push({ backfills: [view] }, { backfills: [] }, failed, view);
  expect((await cli.punctual("backfill list --schedule x")).stdout.split("\n").slice(0, 2)).toEqual([
    "ID          SCHEDULE  FROM                  TO                    RATE  STATE    DONE",
    "b0f3a91c27  x         2026-01-01 00:00:00Z  2026-01-02 00:00:00Z  10/s  running  6 of 24 slots",
  ]);
  expect(cli.server.calls[0]?.request).toEqual({ scheduleId: "x" });
  expect((await cli.punctual("backfill list")).stderr).toMatch(/^no backfills; begin one/);
  const { stdout } = await cli.punctual("backfill get b0f3a91c27");
  expect(stdout).toMatch(/state +failed\n/);
  expect(stdout).toMatch(/reason +the schedule was deleted\n/);
  await cli.punctual("backfill cancel b0f3a91c27");
  expect(cli.server.calls.at(-1)).toEqual({ endpoint: "backfill.cancel", request: { id: "b0f3a91c27" } });
  expect(await cli.punctual("backfill get x")).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/ID: expected the id of a backfill/),
  });
});
