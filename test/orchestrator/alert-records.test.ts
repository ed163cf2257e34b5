/** Whoever puts or removes a definition learns what became of it, also when the store's answer is lost. */
import { expect, test } from "vitest";
import { AlertService } from "../../src/orchestrator/alert-service.js";
import { alertInput } from "../../src/protocol/alert-input.js";
import type { Fault } from "../../src/testing/faults.js";
import { ManualClock, MemoryServer, openMemoryPorts } from "../../src/testing/index.js";
import { START } from "../contract/given.js";

const times = (count: number) => alertInput.parse({ kind: "failing", times: count });

function world() {
  const clock = new ManualClock(START);
  const server = new MemoryServer({ clock });
  const alerts = new AlertService({ ...openMemoryPorts(server), clock });
  const put = (count: number, ifRevision?: number) =>
    alerts.put({ name: "r", rule: times(count), ifRevision });
  /** What becomes of the next writes; meanwhile somebody else may write. */
  const spoil = (...faults: Fault[]) => {
    server.faults = { alertWrite: () => faults.shift() };
  };
  return { alerts, put, spoil };
}

test.each(["answer lost", "lost before"] as const)("a put on a revision: %s", async (fault) => {
  const { alerts, put, spoil } = world();
  spoil(fault);
  const made = await put(1, 0);
  expect(await alerts.get({ name: "r" })).toEqual(made);
  spoil(fault);
  const changed = await put(2, made.revision);
  expect(await alerts.get({ name: "r" })).toEqual(changed);
  await expect(put(3, made.revision)).rejects.toMatchObject({ code: "conflict" });
});

test("a put that did not come, and somebody else's did, is a conflict", async () => {
  const { put, spoil } = world();
  const { revision } = await put(1);
  spoil("late");
  const [mine, other] = await Promise.allSettled([put(2, revision), put(3, revision)]);
  expect(mine).toMatchObject({ status: "rejected", reason: { code: "conflict" } });
  expect(other).toMatchObject({ status: "fulfilled" });
});

test.each(["answer lost", "lost before"] as const)("a removal: %s", async (fault) => {
  const { alerts, put, spoil } = world();
  const { revision } = await put(1);
  spoil(fault);
  expect(await alerts.delete({ name: "r", ifRevision: revision })).toEqual({ name: "r" });
  await expect(alerts.get({ name: "r" })).rejects.toMatchObject({ code: "not_found" });
});
