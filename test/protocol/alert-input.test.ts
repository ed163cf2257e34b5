import { describe, expect, it, test } from "vitest";
import {
  type AlertInput,
  alertInput,
  alertInputOf,
  decodeRule,
  encodeRule,
  ruleOf,
} from "../../src/protocol/alert-input.js";
import { parseWith } from "../../src/protocol/parse.js";

const read = (input: unknown) => ruleOf("r", parseWith(alertInput, input, "rule"), 7);

const everything: AlertInput[] = [
  { kind: "late", after: "30s" },
  {
    kind: "late",
    after: "1h30m",
    schedules: { ids: ["a", "b"], labels: "team=billing,env!=test,urgent,!old" },
  },
  { kind: "missed", schedules: { labels: "team=billing" }, description: "call them" },
  { kind: "failing", times: 3 },
  { kind: "failing", times: 1, queues: ["mail"] },
  { kind: "running-long", after: "1h", schedules: { ids: ["a"] } },
  { kind: "running-long", after: "1h", queues: ["mail", "files"] },
  { kind: "not-succeeded", within: "1d2h" },
  { kind: "queue-deep", over: 0 },
  { kind: "queue-deep", olderThan: "10m", queues: ["mail"] },
  { kind: "dead-letters", over: 10, within: "1h" },
];

describe("an alert rule", () => {
  test.each(everything)("is read, stored and shown as it was written: %j", (input) => {
    const rule = read(input);
    expect(alertInputOf(rule)).toEqual(input);
    expect(decodeRule("r", encodeRule(rule))).toEqual(rule);
  });

  it("has defaults", () => {
    expect(read({ kind: "failing" })).toMatchObject({
      times: 1,
      on: { of: "schedules" },
      name: "r",
      madeAt: 7,
    });
    expect(read({ kind: "dead-letters" })).toMatchObject({
      over: 0,
      withinMs: 3_600_000,
      on: { of: "queues" },
    });
  });

  test.each<[unknown, string]>([
    [undefined, "rule: expected an object"],
    [{}, "kind: expected one of late"],
    [
      { kind: "slow" },
      'kind: expected one of late, missed, failing, running-long, not-succeeded, queue-deep, dead-letters, got "slow"',
    ],
    [{ kind: "late" }, "after: expected a duration"],
    [
      { kind: "late", after: "soon" },
      'after: expected a duration such as "90s", "1h30m" or whole milliseconds, at most 366 days, got "soon"',
    ],
    [{ kind: "late", after: "10ms" }, 'after: expected at least 1s, got "10ms"'],
    [{ kind: "late", after: "1m", times: 3 }, 'unknown field "times"'],
    [{ kind: "late", after: "1m", queues: ["mail"] }, 'unknown field "queues"'],
    [{ kind: "missed", schedules: { ids: [] } }, "schedules.ids: "],
    [{ kind: "missed", schedules: { ids: ["a b"] } }, "schedules.ids[0]: expected 1 to 128 characters"],
    [{ kind: "missed", schedules: { labels: "a b" } }, "schedules.labels: expected key=value"],
    [{ kind: "missed", schedules: { tags: "a" } }, 'schedules: unknown field "tags"'],
    [{ kind: "failing", times: 0 }, "times: expected at least 1"],
    [{ kind: "failing", times: 101 }, "times: expected at most 100"],
    [{ kind: "failing", schedules: {}, queues: ["a"] }, "queues: expected schedules or queues, not both"],
    [{ kind: "running-long", queues: ["a.b"], after: "1m" }, "queues[0]: expected 1 to 64 characters"],
    [{ kind: "not-succeeded", within: 0 }, "within: expected at least 1s, got 0"],
    [{ kind: "queue-deep" }, "over: expected over, olderThan, or both, got neither"],
    [{ kind: "queue-deep", over: -1 }, "over: expected at least"],
    [{ kind: "queue-deep", over: 1, olderThan: "x" }, "olderThan: expected a duration"],
    [{ kind: "dead-letters", over: 10_001 }, "over: expected at most"],
    [{ kind: "dead-letters", within: "500ms" }, "within: expected at least 1s"],
    [{ kind: "missed", description: "x".repeat(1_001) }, "description: expected at most"],
  ])("%j is refused", (input, message) => {
    expect(() => read(input)).toThrow(message);
  });
});

test("what somebody wrote into the bucket is read with care", () => {
  expect(() => decodeRule("r", "{")).toThrow("stored alert rule r: expected JSON");
  expect(() => decodeRule("r", '{"madeAt":1,"rule":{"kind":"slow"}}')).toThrow("rule.kind: expected one of");
});
