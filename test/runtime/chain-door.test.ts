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

test("a job that is not let in takes its record back, and nobody has looked whether it is a repeat", async () => {
  const { chains, door } = given();
  expect(await door.through(following, answer(false))).toEqual({ accepted: false });
  expect(await chains.get("0.run.a")).toBeNull();
});

test("a run upon which something else follows is a repeat", async () => {
  const { door } = given();
  await door.through(following, answer(true));
  const record = { ...following.record, onSuccess: '{"queue":"other"}' };
  const outcome = await door.through({ ...following, record }, answer(true));
  expect(outcome).toEqual({ accepted: false, isRepeat: true });
});

test("a run id is not used again before what follows upon its last life is queued, and then is", async () => {
  const { chains, door } = given();
  await door.through(following, answer(true));
  expect(await door.isOpen("0.run.a")).toBe(true);
  const { revision = 0 } = (await chains.get("0.run.a")) ?? {};
  const decided = { state: "succeeded", at: 0, life: revision } as const;
  await chains.write("0.run.a", { ...following.record, decided }, revision);
  expect(await door.isOpen("0.run.a")).toBe(false);
  expect(await door.through(following, answer(true))).toEqual({ accepted: false, isRepeat: false });
  expect((await chains.get("0.run.a"))?.record).toMatchObject({ decided });
  await chains.erase("0.run.a", (await chains.get("0.run.a"))?.revision ?? 0);
  expect(await door.through(following, answer(true))).toEqual({ accepted: true });
  expect(await door.isOpen("0.run.a")).toBe(true);
});

test("a dead letter of a member is tried again though its group is gone, and a member of none is refused", async () => {
  const { chains, door } = given();
  const member = (runId: string) => {
    const record = { ...following.record, runId, group: { id: "import", index: 0 } };
    return { key: "0.member.import.0", record, groupKey: "0.group.import" };
  };
  await expect(door.through(member("a"), answer(true))).rejects.toThrow(/there is no group import/);
  expect(await door.through(member("a:retry-17"), answer(true))).toEqual({ accepted: true });
  expect((await chains.get("0.member.import.0"))?.record).toMatchObject({ runId: "a:retry-17" });
});
