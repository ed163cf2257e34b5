import { describe, expect, it } from "vitest";
import { fakeCli } from "./context.js";

const view = {
  name: "r",
  revision: 7,
  madeAt: "2026-01-01T00:00:00.000Z",
  rule: { kind: "failing", times: 3 },
};
const breach = {
  rule: "r",
  kind: "failing",
  scheduleId: "nightly",
  queue: null,
  heartbeat: null,
  since: "2026-01-01T03:00:00.000Z",
  at: "2026-01-01T03:00:05.000Z",
  text: "schedule nightly: the last 3 runs failed",
  data: {},
};

describe("alert put", () => {
  it("sends what flags and file describe", async () => {
    const { argv, server } = fakeCli({
      files: { "r.json": '{"kind":"late","after":"1m","description":"x"}' },
    });
    server.answers.push(view);
    const flags = [
      "--after",
      "30s",
      "--schedule",
      "a",
      "--schedule",
      "b",
      "--label",
      "team=ops",
      "--label",
      "!old",
    ];
    const args = ["alert", "put", "r", "--file", "r.json", ...flags, "--if-revision", "3"];
    expect(await argv(...args)).toMatchObject({ stdout: "r stored, revision 7\n" });
    const schedules = { ids: ["a", "b"], labels: "team=ops,!old" };
    const rule = { kind: "late", after: "30s", description: "x", schedules };
    expect(server.calls).toEqual([{ endpoint: "alert.put", request: { name: "r", rule, ifRevision: 3 } }]);
  });

  it.each<[string[], object]>([
    [
      ["--kind", "failing", "--times", "3", "--queue", "mail"],
      { kind: "failing", times: 3, queues: ["mail"] },
    ],
    [
      ["--kind", "queue-deep", "--over", "5", "--older-than", "10m"],
      { kind: "queue-deep", over: 5, olderThan: "10m" },
    ],
    [["--kind", "dead-letters", "--within", "2h"], { kind: "dead-letters", within: "2h" }],
    [["--kind", "missed", "--schedule", "a"], { kind: "missed", schedules: { ids: ["a"] } }],
  ])("%j is a rule", async (flags, rule) => {
    const { argv, server } = fakeCli();
    server.answers.push(view);
    await argv("alert", "put", "r", ...flags);
    expect(server.calls).toMatchObject([{ request: { rule } }]);
  });

  it.each<[string[], RegExp]>([
    [["a.b", "--kind", "missed"], /NAME: expected 1 to 128 characters/],
    [["r"], /--kind: expected one of late, missed/],
    [["r", "--kind", "slow"], /--kind: expected one of late, missed.*got "slow"/],
    [["r", "--kind", "late"], /--after: expected a duration/],
    [["r", "--kind", "failing", "--times", "many"], /--times: expected a number, got "many"/],
    [["r", "--kind", "failing", "--times", "0"], /--times: expected at least/],
    [["r", "--kind", "missed", "--label", "a b"], /--label: expected key=value/],
    [["r", "--kind", "missed", "--schedule", "a b"], /--schedule: expected 1 to 128/],
    [
      ["r", "--kind", "failing", "--schedule", "a", "--queue", "b"],
      /--queue: expected schedules or queues, not both/,
    ],
    [["r", "--kind", "queue-deep"], /--over: expected over, olderThan, or both/],
    [
      ["r", "--kind", "queue-deep", "--over", "1", "--schedule", "a"],
      /--schedule: does not go with queue-deep/,
    ],
    [["r", "--kind", "dead-letters", "--label", "a=b"], /--label: does not go with dead-letters/],
    [["r", "--kind", "missed", "--older-than", "1m"], /--older-than: does not go with missed/],
    [["r", "--kind", "missed", "--if-revision", "x"], /--if-revision: expected/],
  ])("%j is refused, and nothing is sent", async (args, message) => {
    const { argv, server } = fakeCli();
    const { exitCode, stderr } = await argv("alert", "put", ...args);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(message);
    expect(server.calls).toEqual([]);
  });
});

describe("alert get, list, delete and active", () => {
  it("show rules", async () => {
    const { punctual, server } = fakeCli();
    server.answers.push(view, { alerts: [view] }, { alerts: [] }, { alerts: [view] });
    expect((await punctual("alert get r")).stdout).toMatch(/kind +failing\n.*times +3/s);
    expect((await punctual("alert list")).stdout).toMatch(/r +failing +all schedules +times 3/);
    expect((await punctual("alert list")).stderr).toMatch(/no alert rules/);
    expect((await punctual("alert list --quiet")).stdout).toBe("r\n");
  });

  it("show what a rule looks at", async () => {
    const { punctual, server } = fakeCli();
    const of = (rule: object) => ({ ...view, rule: { kind: "failing", times: 3, ...rule } });
    const views = [
      of({ queues: ["mail", "files"] }),
      of({ schedules: { ids: ["a", "b"], labels: "team=ops" } }),
      of({ schedules: { labels: "team=ops" } }),
    ];
    server.answers.push({ alerts: views }, views[1]);
    const { stdout } = await punctual("alert list");
    expect(stdout).toMatch(/queues mail, files +times 3/);
    expect(stdout).toMatch(/schedules a, b with team=ops +times 3/);
    expect(stdout).toMatch(/schedules with team=ops +times 3/);
    expect((await punctual("alert get r")).stdout).toMatch(/on +schedules a, b with team=ops/);
  });

  it("show what is wrong", async () => {
    const { punctual, server } = fakeCli();
    server.answers.push({ breaches: [breach] }, { breaches: [] }, { breaches: [breach] });
    expect((await punctual("alert active")).stdout).toMatch(
      /r +failing +2026-01-01 03:00:00Z +schedule nightly/,
    );
    expect((await punctual("alert active")).stderr).toMatch(/nothing is wrong/);
    expect(JSON.parse((await punctual("alert active --json")).stdout)).toEqual([breach]);
  });

  it("delete one", async () => {
    const { punctual, server } = fakeCli();
    server.answers.push({ name: "r" });
    expect(await punctual("alert delete r --if-revision 7")).toMatchObject({ stdout: "r deleted\n" });
    expect(server.calls).toEqual([{ endpoint: "alert.delete", request: { name: "r", ifRevision: 7 } }]);
  });
});
