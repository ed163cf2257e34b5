import { expect, test } from "vitest";
import { historyOf } from "../../src/protocol/history.js";
import { limits } from "../../src/protocol/limits.js";
import { schedule } from "../core/given.js";

const at = Date.UTC(2026, 0, 1);

test("tells who changed what when, the newest first", () => {
  const first = schedule("a", { revision: 3, changedAt: at, changedBy: "anna" });
  const second = { ...first, revision: 5, firstRevision: 3, overlap: "allow" as const, changedBy: "ben" };
  const gone = { ...second, revision: 9, deleted: true, changedBy: undefined, changedAt: undefined };
  const { revisions, complete, id } = historyOf("a", [first, second, gone]);
  expect({ id, complete }).toEqual({ id: "a", complete: true });
  expect(revisions.map(({ revision, action }) => [revision, action])).toEqual([
    [9, "deleted"],
    [5, "changed"],
    [3, "created"],
  ]);
  expect(revisions[0]).not.toHaveProperty("changedBy");
  expect(revisions[1]).toMatchObject({
    changedAt: "2026-01-01T00:00:00.000Z",
    changedBy: "ben",
    changes: [{ field: "overlap", from: "skip", to: "allow" }],
    more: 0,
  });
  expect(revisions[2]?.changes).toContainEqual({ field: "every", to: "1s" });
});

test("does not claim to know what the oldest one changed when there were older ones", () => {
  const kept = [schedule("a", { revision: 30, firstRevision: 2 })];
  expect(historyOf("a", kept)).toMatchObject({
    complete: false,
    revisions: [{ revision: 30, action: "changed", changes: [] }],
  });
});

test("cuts what is long, and says how much more there is", () => {
  const payload = Object.fromEntries(Array.from({ length: 150 }, (_, n) => [`k${n}`, "x".repeat(2_000)]));
  const job = { ...schedule("a").job, payload };
  const kept = [schedule("a", { revision: 1 }), schedule("a", { revision: 2, firstRevision: 1, job })];
  const [newest] = historyOf("a", kept).revisions;
  expect(newest?.changes).toHaveLength(limits.historyFields);
  expect(newest?.more).toBe(151 - limits.historyFields);
  const to = newest?.changes.find(({ field }) => field === "payload.k0")?.to;
  expect(to).toMatch(/^"x+…$/);
  expect(to).toHaveLength(limits.historyValueLength + 1);
});
