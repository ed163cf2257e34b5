/** The front door, where the server delivers again what was taken in. */
import { expect, test } from "vitest";
import type { ConsumeOptions } from "../../src/core/ports.js";
import { silentTelemetry } from "../../src/core/telemetry.js";
import { Intake } from "../../src/orchestrator/intake.js";
import { Memory } from "../../src/orchestrator/memory.js";
import { headers as h } from "../../src/protocol/headers.js";
import { Admission } from "../../src/runtime/admission.js";
import { silentLogger } from "../../src/runtime/log.js";
import { ManualClock, MemoryServer, openMemoryPorts } from "../../src/testing/index.js";
import { START } from "../contract/given.js";

/** What the front door answers to a message, by sequence and when it was stored. */
async function door() {
  const clock = new ManualClock(START);
  const server = new MemoryServer({ clock, shards: 1 });
  const ports = openMemoryPorts(server);
  let pulled: ConsumeOptions | undefined;
  const intake = {
    consume: async (options: ConsumeOptions) => {
      pulled = options;
      return { stop: async () => {} };
    },
  };
  const admission = new Admission({ ...ports, clock });
  const telemetry = { ...silentTelemetry };
  const maxPayload = 1_048_576;
  const { takenIn } = new Memory();
  /** As after each end of the connection. */
  const open = () => {
    const more = { admission, intake, clock, shards: 1, log: silentLogger, telemetry, maxPayload };
    return new Intake({ ...ports, ...more }, takenIn).start();
  };
  await open();
  const deliver = async (seq: number, storedAt: number, headers: Record<string, string> = {}) => {
    let answer = "none";
    await pulled?.onDelivery({
      ...{ seq, storedAt, attempt: 1, subject: ports.names.enqueue("mail"), body: Buffer.from("1") },
      headers: { [h.msgId]: "a", ...headers },
      ack: () => (answer = "ack"),
      nak: () => (answer = "nak"),
      working: () => {},
      term: () => (answer = "term"),
    });
    return answer;
  };
  /** The job is done, and the server forgets its message id. */
  const end = async (seq: number) => {
    await ports.work.remove(seq);
    server.forget();
  };
  return { ports, deliver, end, open };
}

test("what was taken in is only acknowledged when it comes again: its job may be done", async () => {
  const { ports, deliver, end, open } = await door();
  expect(await deliver(7, START)).toBe("ack");
  await end(1);
  await open();
  expect(await deliver(7, START)).toBe("ack");
  expect(await ports.work.at(2)).toBeNull();
  expect(await deliver(7, START - 1), "of a stream that was made anew").toBe("ack");
  expect(await ports.work.at(2)).toMatchObject({ headers: { [h.runId]: "a" } });
});

test("what was refused is not buried again", async () => {
  const { ports, deliver } = await door();
  const wrong = { [h.maxAttempts]: "many" };
  expect(await deliver(7, START, wrong)).toBe("term");
  expect(await ports.letters.at(1)).not.toBeNull();
  expect(await deliver(7, START, wrong)).toBe("ack");
  expect(await ports.letters.at(2)).toBeNull();
});
