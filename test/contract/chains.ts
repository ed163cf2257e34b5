import { expect, it, onTestFinished } from "vitest";
import { type Followed, newGroup, noted } from "../../src/core/chain.js";
import type { ChainChange } from "../../src/core/chain-store.js";
import type { CasOutcome } from "../../src/core/ports.js";
import { until } from "../support/scene.js";
import type { MakePorts } from "./ports.js";
import { describePort } from "./suite.js";

const followed: Followed = {
  kind: "run",
  runId: "order:7",
  queue: "mail",
  onSuccess: '{"queue":"mail"}',
  onFailure: null,
  group: { id: "import", index: 3 },
  decided: null,
};

function revisionOf(outcome: CasOutcome): number {
  if (outcome.kind !== "stored") throw new Error(outcome.kind);
  return outcome.revision;
}

export function describeChainStore(name: string, make: MakePorts): void {
  describePort(`chains over ${name}`, make, (on) => {
    it("are read as they were written, over any connection", async () => {
      const { one, other } = on();
      expect(await one.chains.get("0.run.order:7")).toBeNull();
      const revision = revisionOf(await one.chains.write("0.run.order:7", followed, 0));
      const stored = await other.chains.get("0.run.order:7");
      expect(stored).toMatchObject({ record: followed, revision });
      expect(stored?.storedAt).toBeGreaterThan(0);
      const decided = { ...followed, decided: { state: "dead" as const, at: 17, life: revision } };
      expect(await other.chains.write("0.run.order:7", decided, revision)).toMatchObject({ kind: "stored" });
      expect((await one.chains.get("0.run.order:7"))?.record).toEqual(decided);
    });

    it("keep the members of a group bit by bit", async () => {
      const { one, other } = on();
      const group = noted(noted(newGroup("import", 9, "{}", 5), 8, true), 0, false);
      await one.chains.write("0.group.import", group, 0);
      const record = (await other.chains.get("0.group.import"))?.record;
      if (record?.kind !== "group") throw new Error("no group");
      expect([record.id, record.members, record.done.count, record.failed.count]).toEqual([
        "import",
        9,
        2,
        1,
      ]);
      expect([record.done.has(8), record.failed.has(8), record.failed.has(0)]).toEqual([true, true, false]);
    });

    it("are written and erased only on the revision that is there", async () => {
      const { one, other } = on();
      const first = revisionOf(await one.chains.write("0.run.a", followed, 0));
      expect(await other.chains.write("0.run.a", followed, 0)).toEqual({ kind: "lost" });
      expect(await other.chains.erase("0.run.a", first - 1)).toEqual({ kind: "lost" });
      expect(await other.chains.erase("0.run.a", first)).toMatchObject({ kind: "stored" });
      expect(await one.chains.get("0.run.a")).toBeNull();
      expect(await one.chains.write("0.run.a", followed, 0)).toMatchObject({ kind: "stored" });
    });

    it("are listed shard by shard, with those of which something is left", async () => {
      const { one, other } = on();
      expect(await one.chains.keys(1)).toEqual([]);
      const first = revisionOf(await one.chains.write("1.run.a", followed, 0));
      await one.chains.write("1.run.b", followed, 0);
      await one.chains.write("11.run.c", followed, 0);
      expect((await other.chains.keys(1)).sort()).toEqual(["1.run.a", "1.run.b"]);
      await one.chains.erase("1.run.a", first);
      await one.chains.clear("1.run.a");
      await one.chains.clear("1.run.b");
      await one.chains.clear("1.run.none");
      expect(await other.chains.keys(1)).toEqual(["1.run.b"]);
      expect((await one.chains.get("1.run.b"))?.record).toEqual(followed);
    });

    it("are told one by one though others are erased meanwhile", async () => {
      const { one, other } = on();
      const told = new Set<string>();
      const watch = await other.chains.watch(({ key }) => told.add(key));
      onTestFinished(() => watch.stop());
      const keys = Array.from({ length: 9_000 }, (_, n) => `0.run.r${n}`);
      const left = keys.entries();
      const work = async () => {
        for (const [n, key] of left) {
          const first = revisionOf(await one.chains.write(key, followed, 0));
          const revision = revisionOf(await one.chains.write(key, followed, first));
          if (n % 4 !== 0) await one.chains.erase(key, revision);
        }
      };
      await Promise.all(Array.from({ length: 8 }, work));
      const kept = keys.filter((_, n) => n % 4 === 0);
      await until(() => expect(kept.filter((key) => !told.has(key))).toEqual([]));
    });

    it("tell who watches of all that is there and of every change", async () => {
      const { one, other } = on();
      const first = revisionOf(await one.chains.write("0.run.a", followed, 0));
      const told: ChainChange[] = [];
      const watch = await other.chains.watch((change) => told.push(change));
      onTestFinished(() => watch.stop());
      await one.chains.write("1.run.b", followed, 0);
      await one.chains.erase("0.run.a", first);
      await until(() => expect(told.at(-1)).toMatchObject({ key: "0.run.a", record: null }));
      const { storedAt = 0 } = told[0] ?? {};
      expect(told[0]).toEqual({ key: "0.run.a", record: followed, revision: first, storedAt });
      expect(storedAt).toBeGreaterThan(0);
      expect(told.map(({ key }) => key)).toContain("1.run.b");
    });
  });
}
