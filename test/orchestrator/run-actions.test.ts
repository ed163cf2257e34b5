/** Cancelling a run that lies in WORK twice, as it is delivered again after a kill of the server. */
import { expect, test } from "vitest";
import type { Run } from "../../src/core/run.js";
import { RunActions } from "../../src/orchestrator/run-actions.js";
import { headers as h } from "../../src/protocol/headers.js";
import { redeliveryOf, redeliverySubject } from "../../src/protocol/redelivery-message.js";
import { ManualClock, MemoryServer, openMemoryPorts } from "../../src/testing/index.js";
import { START } from "../contract/given.js";

test("both messages go: what was stored in its place would be done still", async () => {
  const clock = new ManualClock(START);
  const ports = openMemoryPorts(new MemoryServer({ clock, shards: 1 }));
  const { names, work } = ports;
  await ports.queues.ensure("mail", { history: "off" });
  const headers = { [h.runId]: "a" };
  const body = new Uint8Array();
  await work.publish({ subject: names.job("mail", "unique"), msgId: "a/1", headers, body });
  const stuck = await work.at(1);
  const subject = stuck && redeliverySubject(stuck, names);
  if (stuck === null || subject === null) throw new Error("expected a job");
  await work.publish(redeliveryOf(stuck, subject));
  const actions = new RunActions(ports, {
    known: async (id) => ({ run: { id, seq: 1, state: "queued" } as Run }),
    trigger: () => Promise.reject(new Error("not asked for")),
    retryLetter: async () => null,
  });
  const cancelled = actions.cancel({ id: "a", force: true });
  await clock.advance(1_000);
  expect(await cancelled).toEqual({ id: "a", outcome: "removed" });
  expect([await work.at(1), await work.at(2)]).toEqual([null, null]);
});
