import { expect, test } from "vitest";
import type { Following } from "../../src/core/chain.js";
import { ChainDoor } from "../../src/runtime/chain-door.js";
import { ManualClock, MemoryServer, openMemoryPorts } from "../../src/testing/index.js";

const following: Following = {
  key: "0.run.a",
  record: {
    ...{ kind: "run", runId: "a", queue: "mail", onSuccess: "{}", onFailure: null },
    ...{ group: null, decided: null },
  },
  groupKey: null,
};

function given() {
  const { chains } = openMemoryPorts(new MemoryServer({ clock: new ManualClock() }));
  return { chains, door: new ChainDoor(chains) };
}

const answer = (accepted: boolean) => async () => ({ accepted });

test("a job that is let in has its record, and asked for again it is a repeat", async () => {
  const { chains, door } = given();
  expect(await door.through(following, answer(true))).toEqual({ accepted: true });
  expect(await door.through(following, answer(false))).toEqual({ accepted: false, isRepeat: true });
  expect((await chains.get("0.run.a"))?.record).toEqual(following.record);
});

test("a job that is not let in takes its record back, and is no repeat", async () => {
  const { chains, door } = given();
  expect(await door.through(following, answer(false))).toEqual({ accepted: false, isRepeat: false });
  expect(await chains.get("0.run.a")).toBeNull();
});

test("a run upon which something else follows is not let in", async () => {
  const { door } = given();
  await door.through(following, answer(true));
  const record = { ...following.record, onSuccess: '{"queue":"other"}' };
  expect(await door.through({ ...following, record }, answer(true))).toBeNull();
});
