/** What was cancelled stays so, though a server that was killed has it again. */
import { expect, test } from "vitest";
import { Sweeper } from "../../src/orchestrator/sweeper.js";
import { withdraw } from "../../src/orchestrator/withdrawal.js";
import { headers as h } from "../../src/protocol/headers.js";
import { timerMessage } from "../../src/protocol/timer-message.js";
import { silentLogger } from "../../src/runtime/log.js";
import { ManualClock, MemoryServer, openMemoryPorts } from "../../src/testing/index.js";
import { START } from "../contract/given.js";

const HOUR_MS = 3_600_000;

async function world() {
  const clock = new ManualClock(START);
  const server = new MemoryServer({ clock, shards: 1 });
  const ports = openMemoryPorts(server);
  const { names, timers, work } = ports;
  const held = { term: 1 as number | null };
  const sweeper = new Sweeper({ ...ports, clock, log: silentLogger }, () => held.term);
  const job = (id: string, subject: string) => {
    const headers = { [h.runId]: id };
    return { subject, msgId: id, headers, body: new Uint8Array() };
  };
  for (const id of ["kept", "cancelled"]) {
    const place = { names, shards: 1, msgId: id };
    await timers.put(timerMessage(job(id, names.job("mail", id)), START + HOUR_MS, place));
    await work.publish(job(id, names.gate("mail", null, id)));
  }
  const withdrawn = async (id: string, seq: number) => {
    for (const subject of [names.timerTombstone(id, seq), names.gateTombstone(id, seq)])
      await withdraw(work, { subject, msgId: subject, reason: "cancelled" });
  };
  await withdrawn("cancelled", 2);
  await timers.remove(2);
  await work.remove(2);
  const waiting = () => ({
    timers: [...server.timers.messages()].map(({ seq }) => seq),
    gate: [...server.work.messages()].flatMap(({ seq, subject }) => (subject.includes("_void") ? [] : [seq])),
  });
  const told = async (id: string) => (await ports.history.events(id)).map(({ type }) => type);
  const tombstones = async () => (await work.tombstones()).length;
  const kill = () => {
    for (const stream of [server.timers, server.work]) stream.forgetRemovals();
    server.forget();
  };
  return { clock, held, sweeper, waiting, withdrawn, tombstones, told, kill };
}

const KEPT = { timers: [1], gate: [1] };
const AGAIN = { timers: [1, 2], gate: [1, 2] };

test("what the server forgot to have removed goes when a term begins", async () => {
  const { held, sweeper, waiting, tombstones, kill } = await world();
  await sweeper.runOnce();
  kill();
  expect(waiting()).toEqual(AGAIN);
  await sweeper.runOnce();
  expect(waiting(), "the term goes on").toEqual(AGAIN);
  held.term = null;
  await sweeper.runOnce();
  expect(waiting(), "others hold the shard").toEqual(AGAIN);
  held.term = 3;
  await sweeper.runOnce();
  expect(waiting()).toEqual(KEPT);
  expect(await tombstones()).toBe(2);
});

test("and before its tombstone does", async () => {
  const { clock, sweeper, waiting, tombstones, kill } = await world();
  await sweeper.runOnce();
  kill();
  await clock.pass(HOUR_MS / 2);
  await sweeper.runOnce();
  expect(waiting()).toEqual(KEPT);
  expect(await tombstones()).toBe(0);
});

test("who cancelled it crashed before it was told: that is made good, once", async () => {
  const { held, sweeper, waiting, told, withdrawn, kill } = await world();
  await withdrawn("kept", 1);
  await sweeper.runOnce();
  expect(waiting()).toEqual({ timers: [], gate: [] });
  // Of its timer and of its place at the gate; a job has one of them.
  expect(await told("kept")).toEqual(["cancelled"]);
  kill();
  held.term = 2;
  await sweeper.runOnce();
  expect(waiting()).toEqual({ timers: [], gate: [] });
  expect(await told("kept")).toEqual(["cancelled"]);
});

test("another job, in a stream that was made anew, stays", async () => {
  const { sweeper, waiting, withdrawn } = await world();
  await withdrawn("one of before", 1);
  await sweeper.runOnce();
  expect(waiting()).toEqual(KEPT);
});
