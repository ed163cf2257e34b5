import { expect, it, onTestFinished } from "vitest";
import { shardOf } from "../../src/core/hash.js";
import type { ScheduleChanges, ScheduleStore } from "../../src/core/ports.js";
import type { ScheduleDefinition } from "../../src/core/schedule.js";
import { limits } from "../../src/protocol/limits.js";
import { Arrivals } from "../support/until.js";
import { definition } from "./given.js";
import type { MakePorts } from "./ports.js";
import { describePort } from "./suite.js";

/** Writes and expects it to be stored; returns the revision. */
async function put(
  store: ScheduleStore,
  id: string,
  revision = 0,
  more: Partial<ScheduleDefinition> = {},
): Promise<number> {
  const outcome = await store.write(id, definition(more), revision);
  if (outcome.kind !== "stored") throw new Error(`${id}: ${outcome.kind}`);
  return outcome.revision;
}

export function describeScheduleStore(name: string, make: MakePorts): void {
  describePort(`schedule store over ${name}: definitions`, make, (on) => {
    it("has nothing at first", async () => {
      const { schedules } = on().one;
      expect(await schedules.get("a")).toBeNull();
      expect(await schedules.getRevision("a", 1)).toBeNull();
      expect(await schedules.lastSequence()).toBe(0);
    });

    it("reads what was written, over any connection, at once", async () => {
      const { one, other } = on();
      const spec = { kind: "cron", expression: "*/5 * * * *", timeZone: "Europe/Berlin" } as const;
      const written = definition({ spec, note: "noted", firstRevision: 3 });
      const outcome = await one.schedules.write("a", written, 0);
      if (outcome.kind !== "stored") throw new Error(outcome.kind);
      const { revision } = outcome;
      const expected = { ...written, id: "a", revision, shard: shardOf("a", limits.defaultShards) };
      expect(await other.schedules.get("a")).toEqual(expected);
      expect(await other.schedules.lastSequence()).toBe(revision);
    });

    it("stores only on the revision that is there", async () => {
      const { schedules } = on().one;
      const first = await put(schedules, "a");
      expect(await schedules.write("a", definition(), 0)).toEqual({ kind: "lost" });
      const second = await put(schedules, "a", first, { paused: true });
      expect(second).toBeGreaterThan(first);
      expect(await schedules.write("a", definition(), first)).toEqual({ kind: "lost" });
      expect((await schedules.get("a"))?.paused).toBe(true);
    });

    it("lets exactly one of many writers with one revision in", async () => {
      const { one, other } = on();
      const tries = Array.from({ length: 8 }, (_, i) =>
        (i % 2 === 0 ? one : other).schedules.write("a", definition({ note: `${i}` }), 0),
      );
      const outcomes = await Promise.all(tries);
      expect(outcomes.filter((outcome) => outcome.kind === "stored")).toHaveLength(1);
      expect(outcomes.filter((outcome) => outcome.kind === "lost")).toHaveLength(7);
      const winner = outcomes.findIndex((outcome) => outcome.kind === "stored");
      expect((await one.schedules.get("a"))?.note).toBe(`${winner}`);
    });

    it("finds old revisions while they are kept, and only under their id", async () => {
      const { schedules } = on().one;
      const revisions: number[] = [];
      for (let i = 0; i <= limits.scheduleHistory; i++) {
        revisions.push(await put(schedules, "a", revisions.at(-1) ?? 0, { note: `${i}` }));
      }
      const [gone, kept] = revisions as [number, number];
      expect(await schedules.getRevision("a", gone)).toBeNull();
      expect(await schedules.getRevision("a", kept)).toMatchObject({ note: "1", revision: kept });
      expect(await schedules.getRevision("b", kept)).toBeNull();
      expect(await schedules.getRevision("a", 1_000)).toBeNull();
    });

    it("tells every revision of an id that it keeps, the oldest first, deleted or not", async () => {
      const { one, other, eraseDefinition } = on();
      expect(await one.schedules.history("a")).toEqual([]);
      const first = await put(one.schedules, "a");
      await put(one.schedules, "b");
      const second = await put(one.schedules, "a", first, { deleted: true });
      const kept = await other.schedules.history("a");
      expect(kept.map(({ id, revision, deleted }) => [id, revision, deleted])).toEqual([
        ["a", first, false],
        ["a", second, true],
      ]);
      await eraseDefinition("a");
      expect(await one.schedules.history("a")).toHaveLength(2);
    });

    it("still knows what is deleted, as a marker", async () => {
      const { schedules } = on().one;
      const first = await put(schedules, "a");
      await put(schedules, "a", first, { deleted: true });
      expect((await schedules.get("a"))?.deleted).toBe(true);
    });

    it("takes an id that was erased as new", async () => {
      const { one, eraseDefinition } = on();
      const first = await put(one.schedules, "a");
      await eraseDefinition("a");
      expect(await one.schedules.get("a")).toBeNull();
      expect(await put(one.schedules, "a")).toBeGreaterThan(first);
    });

    it("says what is no definition, refuses to read it, and lets it be replaced", async () => {
      const { one, other, overwriteDefinition } = on();
      const first = await put(one.schedules, "a");
      expect(await other.schedules.unreadableAt("a")).toBeNull();
      expect(await other.schedules.unreadableAt("none")).toBeNull();
      await overwriteDefinition("a", "{oops");
      const revision = (await other.schedules.unreadableAt("a")) as number;
      expect(revision).toBeGreaterThan(first);
      await expect(other.schedules.get("a")).rejects.toThrow("a");
      expect(await other.schedules.history("a")).toMatchObject([{ revision: first }]);
      await put(one.schedules, "a", revision);
      expect(await other.schedules.unreadableAt("a")).toBeNull();
      expect(await other.schedules.get("a")).toMatchObject({ id: "a" });
    });

    it("moves its sequence on by a touch, which is no schedule", async () => {
      const { schedules } = on().one;
      const revision = await put(schedules, "a");
      await schedules.touch();
      await schedules.touch();
      expect(await schedules.lastSequence()).toBeGreaterThan(revision);
    });
  });

  describeWatch(name, make);
}

function describeWatch(name: string, make: MakePorts): void {
  describePort(`schedule store over ${name}: watch`, make, (on) => {
    async function watched(store: ScheduleStore): Promise<Arrivals<ScheduleChanges>> {
      const changes = new Arrivals<ScheduleChanges>();
      const watch = await store.watch((change) => changes.add(change));
      onTestFinished(() => watch.stop());
      return changes;
    }

    it("calls back for an empty store too", async () => {
      const changes = await watched(on().one.schedules);
      expect(await changes.next()).toEqual({ changed: [], removed: [], calendars: [], view: 0 });
    });

    it("delivers everything at first, in its newest form, then every change", async () => {
      const { one, other } = on();
      const first = await put(one.schedules, "a");
      await put(one.schedules, "b");
      const newest = await put(one.schedules, "a", first, { note: "new" });
      const changes = await watched(other.schedules);
      const all = await changes.next();
      expect(all.view).toBe(newest);
      expect(all.changed.map(({ id, note }) => [id, note]).sort()).toEqual([
        ["a", "new"],
        ["b", undefined],
      ]);
      const revision = await put(one.schedules, "c");
      const next = await changes.next();
      expect(next).toMatchObject({ changed: [{ id: "c", revision }], removed: [], view: revision });
    });

    it("delivers markers of what is deleted", async () => {
      const { one, other } = on();
      const revision = await put(one.schedules, "a");
      const marker = await put(one.schedules, "a", revision, { deleted: true });
      const changes = await watched(other.schedules);
      expect(await changes.next()).toMatchObject({ changed: [{ id: "a", deleted: true, revision: marker }] });
    });

    it("tells what is no definition, and why", async () => {
      const { one, other, overwriteDefinition } = on();
      await put(one.schedules, "a");
      await overwriteDefinition("a", "{oops");
      const changes = await watched(other.schedules);
      const removed = [{ id: "a", unreadable: expect.stringMatching("expected JSON") }];
      expect(await changes.next()).toMatchObject({ changed: [], removed });
    });

    it("tells what was erased", async () => {
      const { one, other, eraseDefinition } = on();
      const revision = await put(one.schedules, "a");
      const changes = await watched(other.schedules);
      await changes.next();
      await eraseDefinition("a");
      const next = await changes.next();
      expect(next.removed.map(({ id }) => id)).toEqual(["a"]);
      expect(next.removed[0]?.revision).toBeGreaterThan(revision);
    });

    it("reaches a view by a touch", async () => {
      const { one, other } = on();
      await put(one.schedules, "a");
      const changes = await watched(other.schedules);
      await changes.next();
      await one.schedules.touch();
      const view = await one.schedules.lastSequence();
      await changes.until((newest) => newest.view >= view);
    });

    it("is complete up to each view, and views never go back, while others write", async () => {
      const { one, other } = on();
      const written = new Map<number, string>();
      const writeSome = async (store: ScheduleStore, prefix: string) => {
        for (let i = 0; i < 40; i++) {
          const id = `${prefix}${i % 10}`;
          const existing = await store.get(id);
          written.set(await put(store, id, existing?.revision ?? 0), id);
        }
      };
      await writeSome(one.schedules, "before");
      const writing = Promise.all([writeSome(one.schedules, "one"), writeSome(other.schedules, "other")]);
      const changes = await watched(other.schedules);
      await writing;
      const end = await one.schedules.lastSequence();
      await changes.until((newest) => newest.view >= end);
      expectComplete(changes.all, written);
    });
  });
}

/** For each view announced: of every id, the newest revision at or below it had been delivered, or a newer one. */
function expectComplete(changes: readonly ScheduleChanges[], written: ReadonlyMap<number, string>): void {
  const seen = new Map<string, number>();
  let view = 0;
  for (const change of changes) {
    expect(change.view).toBeGreaterThanOrEqual(view);
    view = change.view;
    for (const { id, revision } of change.changed) {
      expect(revision).toBeLessThanOrEqual(view);
      expect(revision).toBeGreaterThan(seen.get(id) ?? 0);
      seen.set(id, revision);
    }
    for (const [revision, id] of written) {
      if (revision <= view) expect(seen.get(id) ?? 0).toBeGreaterThanOrEqual(revision);
    }
  }
}
