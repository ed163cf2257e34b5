import { expect, it, onTestFinished } from "vitest";
import type { Alert } from "../../src/core/alert.js";
import type { AlertStore, RecordId } from "../../src/core/alert-store.js";
import { Arrivals } from "../support/until.js";
import { START } from "./given.js";
import type { MakePorts } from "./ports.js";
import { describePort } from "./suite.js";

const rule = (name: string): RecordId => ({ kind: "rule", name });
const state = (name: string): RecordId => ({ kind: "state", name });

async function put(store: AlertStore, id: RecordId, text: string, revision = 0): Promise<number> {
  const outcome = await store.write(id, text, revision);
  if (outcome.kind !== "stored") throw new Error(outcome.kind);
  return outcome.revision;
}

export function describeAlertStore(name: string, make: MakePorts): void {
  describePort(`alert store over ${name}`, make, (on) => {
    it("reads what was written, over any connection, each kind for itself", async () => {
      const { one, other } = on();
      expect(await one.alertStore.get(rule("nightly"))).toBeNull();
      expect(await one.alertStore.list("rule")).toEqual([]);
      const revision = await put(one.alertStore, rule("nightly"), "{}");
      await put(one.alertStore, state("nightly.schedule.a"), "s");
      const stored = { ...rule("nightly"), text: "{}", revision };
      expect(await other.alertStore.get(rule("nightly"))).toEqual(stored);
      expect(await other.alertStore.get(state("nightly"))).toBeNull();
      expect(await other.alertStore.list("rule")).toEqual([stored]);
      expect(await other.alertStore.list("state")).toMatchObject([{ name: "nightly.schedule.a", text: "s" }]);
    });

    it("stores only on the revision that is there; what was removed never was", async () => {
      const { one, other } = on();
      const first = await put(one.alertStore, rule("a"), "1");
      expect(await other.alertStore.write(rule("a"), "2", 0)).toEqual({ kind: "lost" });
      const second = await put(other.alertStore, rule("a"), "2", first);
      expect(await one.alertStore.write(rule("a"), "3", first)).toEqual({ kind: "lost" });
      expect(await one.alertStore.remove(rule("a"), first)).toEqual({ kind: "lost" });
      expect(await one.alertStore.remove(rule("a"), second)).toMatchObject({ kind: "stored" });
      expect(await other.alertStore.get(rule("a"))).toBeNull();
      expect(await other.alertStore.list("rule")).toEqual([]);
      await put(other.alertStore, rule("a"), "4");
      expect(await one.alertStore.get(rule("a"))).toMatchObject({ text: "4" });
    });

    it("erases only the revision that is there, and it can be written again", async () => {
      const { one, other } = on();
      const revision = await put(one.alertStore, state("a.b"), "1");
      expect(await other.alertStore.erase(state("a.b"), revision + 1)).toEqual({ kind: "lost" });
      expect(await other.alertStore.erase(state("a.b"), revision)).toMatchObject({ kind: "stored" });
      expect(await one.alertStore.get(state("a.b"))).toBeNull();
      expect(await one.alertStore.list("state")).toEqual([]);
      await put(one.alertStore, state("a.b"), "2");
      expect(await other.alertStore.list("state")).toMatchObject([{ text: "2" }]);
    });

    it("lists by name", async () => {
      const { one } = on();
      for (const each of ["b", "c", "a"]) await put(one.alertStore, rule(each), each);
      expect((await one.alertStore.list("rule")).map(({ text }) => text)).toEqual(["a", "b", "c"]);
    });

    it("tells who watches of definitions, and of nothing else", async () => {
      const { one, other } = on();
      const first = await put(one.alertStore, rule("a"), "1");
      const changes = new Arrivals<unknown>();
      const watch = await other.alertStore.watch((change) => changes.add(change));
      onTestFinished(() => watch.stop());
      expect(await changes.next()).toEqual({ ...rule("a"), text: "1", revision: first });
      await put(one.alertStore, state("a.b"), "s");
      const second = await put(one.alertStore, rule("a"), "2", first);
      expect(await changes.next()).toEqual({ ...rule("a"), text: "2", revision: second });
      await one.alertStore.remove(rule("a"), second);
      expect(await changes.next()).toMatchObject({ ...rule("a"), text: null });
      await put(one.alertStore, { kind: "heartbeat", name: "h" }, "3");
      expect(await changes.next()).toMatchObject({ kind: "heartbeat", name: "h", text: "3" });
    });
  });
}

const alert: Alert = {
  id: "nightly/schedule.a/2026-01-01T00:00:00.000Z/raised",
  rule: "nightly",
  kind: "failing",
  state: "raised",
  scheduleId: "a",
  queue: null,
  heartbeat: null,
  since: START,
  at: START + 5_000,
  text: "it fails",
  data: { failures: 3 },
};

export function describeAlertBus(name: string, make: MakePorts): void {
  describePort(`alert bus over ${name}`, make, (on) => {
    it("tells those who listen, under the rule's subject, with times for people", async () => {
      const { one, names, hearAlerts } = on();
      const heard = await hearAlerts();
      await one.alerts.raise(alert);
      await one.alerts.raise({ ...alert, rule: "slot.missing", state: "over" });
      expect(await heard.next()).toEqual({
        subject: names.alert("nightly"),
        body: { ...alert, since: "2026-01-01T00:00:00.000Z", at: "2026-01-01T00:00:05.000Z" },
      });
      expect(await heard.next()).toMatchObject({
        subject: names.alert("slot.missing"),
        body: { state: "over" },
      });
    });

    it("says so when it cannot", async () => {
      const { one, cutOne } = on();
      await cutOne();
      await expect(one.alerts.raise(alert)).rejects.toThrow();
    });
  });
}
