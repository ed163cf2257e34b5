import { expect, test } from "vitest";
import { fakeCli } from "./context.js";

const counts = { fired: 9, skipped: 0, missed: 0, expired: 0, open: 1, unknown: 0, anomalies: 0 };
const fine = {
  ...{ from: "2026-01-01T00:00:00.000Z", to: "2026-01-02T00:00:00.000Z", schedules: 1, counts },
  ...{ verdict: "fine", keptFrom: null, cut: [], anomalies: [] },
};
const missing = { kind: "missing", scheduleId: "a", slot: "2026-01-01T03:00:00.000Z" };

const verify = (answer: object, more = "") => {
  const cli = fakeCli();
  cli.server.answers.push({ ...fine, ...answer });
  return cli.punctual(`verify --from 2026-01-01T00:00:00Z --to 2026-01-02T00:00:00Z ${more}`.trim());
};

test("a range that is proven exits with 0", async () => {
  expect(await verify({})).toMatchObject({
    exitCode: 0,
    stdout:
      "1 schedules: 9 fired, 0 skipped, 0 missed, 0 expired, 1 open, 0 unknown\nEvery slot ended once, or is still open.\n",
  });
});

test("one in which something is amiss exits with 1 and names it", async () => {
  const amiss = { verdict: "amiss", counts: { ...counts, anomalies: 3 }, anomalies: [missing] };
  const { exitCode, stdout } = await verify(amiss);
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(/\nmissing +a at 2026-01-01 03:00:00Z\nand 2 more\nNot every slot ended once\.\n$/);
});

test("one of which something is unknown exits with 1 and says from when on all is known", async () => {
  const unknown = { verdict: "unknown", counts: { ...counts, unknown: 2 }, keptFrom: missing.slot };
  const { exitCode, stdout } = await verify(unknown);
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(
    /\nthe history is complete from 2026-01-01 03:00:00Z on\nNothing is seen to be amiss, /,
  );
});

test("one that was not looked at to its end exits with 1 and says how to go on", async () => {
  const { exitCode, stdout } = await verify({
    verdict: "unknown",
    cut: [{ scheduleId: "a", from: missing.slot }],
  });
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(
    /\na has too many slots for once: verify it again with --schedule a --from 2026-01-01T03:00:00.000Z\n/,
  );
});

test("with --json the verdict is the answer, and the exit status the same", async () => {
  const { exitCode, stdout } = await verify({ verdict: "amiss" }, "--json");
  expect(exitCode).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ verdict: "amiss" });
});

test.each([
  ["verify --to 2026-01-02T00:00:00Z", /required option '--from <time>' not specified/],
  ["verify --from soon --to 2026-01-02T00:00:00Z", /--from: expected an RFC 3339 time.*got "soon"/],
  [
    "verify --from 2026-01-01T00:00:00Z --to 2026-01-02T00:00:00Z --schedule a.b",
    /--schedule: expected 1 to 128/,
  ],
])("%s is refused, with exit status 2", async (line, message) => {
  const cli = fakeCli();
  const { exitCode, stderr } = await cli.punctual(line);
  expect(stderr).toMatch(message);
  expect(exitCode).toBe(2);
  expect(cli.server.calls).toEqual([]);
});
