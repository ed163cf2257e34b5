/**
 * Records of chains and of a group are worked on by two orchestrators, again and again, while writes, publishes, events
 * and reads get lost or are done without an answer, and the server forgets message ids. Whatever happens, what follows upon
 * each run is queued once, and what follows upon the group once, when all its members are over.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { newGroup } from "../../src/core/chain.js";
import { shardOf } from "../../src/core/hash.js";
import { ChainWork } from "../../src/orchestrator/chain-work.js";
import { RunIndex } from "../../src/orchestrator/run-index.js";
import { type EnqueueRequest, enqueueRequest } from "../../src/protocol/enqueue-input.js";
import { enqueueMessage } from "../../src/protocol/enqueue-message.js";
import { headers as h } from "../../src/protocol/headers.js";
import { Admission } from "../../src/runtime/admission.js";
import { silentLogger } from "../../src/runtime/log.js";
import { type Faults, ManualClock, MemoryServer, openMemoryPorts } from "../../src/testing/index.js";
import { START } from "../contract/given.js";

const PARENTS = 4;
const GROUP = "g";
const SHARDS = 2;
type Fault = ReturnType<NonNullable<Faults["publish"]>>;
/** A shard that is ours each time somebody asks. */
const ALWAYS = Number.POSITIVE_INFINITY;
const KINDS = ["publish", "chainWrite", "runEvent"] as const;
type Step =
  | { kind: "work"; who: number; isDeep: boolean; oursFor: number }
  | { kind: "end"; parent: number; succeeds: boolean }
  | { kind: "fault"; of: (typeof KINDS)[number]; what: Fault; skip: number }
  | { kind: "unread"; skip: number }
  | { kind: "pass"; ms: number }
  | { kind: "forget" }
  | { kind: "done"; tells: boolean };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("work" as const),
      who: fc.nat(1),
      isDeep: fc.boolean(),
      oursFor: fc.constantFrom(0, 1, 2, 3, ALWAYS),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("end" as const),
      parent: fc.nat(PARENTS - 1),
      succeeds: fc.boolean(),
    }),
  },
  fc.record({
    kind: fc.constant("fault" as const),
    of: fc.constantFrom(...KINDS),
    what: fc.constantFrom<Fault>("lost before", "answer lost"),
    skip: fc.nat(5),
  }),
  fc.record({ kind: fc.constant("unread" as const), skip: fc.nat(12) }),
  fc.record({ kind: fc.constant("pass" as const), ms: fc.constantFrom(1, 1_000) }),
  fc.constant({ kind: "forget" as const }),
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("done" as const), tells: fc.boolean() }) },
);

async function world() {
  const clock = new ManualClock(START);
  const server = new MemoryServer({ clock, shards: SHARDS });
  const stored: string[] = [];
  server.work.onStored(({ headers }) => stored.push(headers[h.runId] ?? ""));
  const open = () => {
    const { link: _, ...ports } = openMemoryPorts(server);
    const admission = new Admission({ ...ports, clock });
    const index = new RunIndex({ ...ports, clock });
    const log = silentLogger;
    return { ports, admission, work: new ChainWork({ ...ports, clock, log, admission, index }) };
  };
  const [one, two] = [open(), open()];
  const onDone = JSON.stringify({ queue: "q", payload: "done" });
  const group = newGroup(GROUP, PARENTS, onDone, clock.now());
  await one.ports.chains.write(server.names.groupKey(shardOf(GROUP, SHARDS), GROUP), group, 0);
  for (let n = 0; n < PARENTS; n++) await enqueue(one, n);
  return { clock, server, stored, one, two, ended: new Map<number, boolean>() };
}

type World = Awaited<ReturnType<typeof world>>;

async function enqueue(who: World["one"], n: number): Promise<void> {
  const job = { queue: "q", jobId: `p${n}`, group: `${GROUP}/${n}` };
  const [onSuccess, onFailure] = ["fine", "sad"].map((payload) => ({ queue: "q", payload }));
  await put(who, { ...job, onSuccess, onFailure });
}

async function put({ ports, admission }: World["one"], job: EnqueueRequest): Promise<void> {
  const request = enqueueRequest.parse(job);
  const settings = await admission.settings("q");
  const { names, maxPayload } = ports;
  const context = { names, shards: SHARDS, now: START, settings, maxPayload, newId: () => "" };
  await admission.admit(ports, { queue: "q" }, enqueueMessage(request, context));
}

const keysIn = ({ server }: World): string[] => [...server.chains.subjects()];

/** What goes wrong goes wrong once, after `skip` that went well. */
async function act(made: World, taken: Step): Promise<void> {
  const { clock, server, one, two } = made;
  const { faults } = server;
  if (taken.kind === "work") await work(made, taken.who === 0 ? one : two, taken);
  else if (taken.kind === "end") await end(made, taken.parent, taken.succeeds);
  else if (taken.kind === "fault") {
    let left = taken.skip;
    const once = () => (left-- === 0 ? taken.what : undefined);
    // All tries of a publish, or the first.
    faults[taken.of] = taken.of === "publish" && taken.what === "answer lost" ? () => taken.what : once;
  } else if (taken.kind === "unread") {
    let left = taken.skip;
    faults.read = () => left-- === 0;
  } else if (taken.kind === "pass") await clock.pass(taken.ms);
  else if (taken.kind === "forget") server.forget();
  else await finish(made, taken.tells);
}

/** @param oursFor the shard is lost after it was asked for so many times, at each record */
async function work(
  made: World,
  who: World["one"],
  { isDeep = true, oursFor = ALWAYS }: { isDeep?: boolean; oursFor?: number } = {},
): Promise<void> {
  for (const key of keysIn(made)) {
    let left = oursFor;
    await who.work.run(key, isDeep, () => left-- > 0).catch(() => {});
  }
  for (const fault of [...KINDS, "read"] as const) delete made.server.faults[fault];
}

/** A parent ends, once, and tells it. */
async function end({ server, one, ended }: World, n: number, succeeds: boolean): Promise<void> {
  const message = [...server.work.messages()].find(({ headers }) => headers[h.runId] === `p${n}`);
  if (message === undefined) return;
  const event = { runId: `p${n}`, type: succeeds ? "succeeded" : "dead" };
  const { faults } = server;
  server.faults = {};
  await one.ports.runs.append({
    ...event,
    msgId: `p${n}/${event.type}/${message.seq}`,
    data: { attempt: 1 },
  });
  server.faults = faults;
  server.work.remove(message.seq);
  ended.set(n, succeeds);
}

/** What followed is done too, and perhaps nobody tells. */
async function finish({ server, one }: World, tells: boolean): Promise<void> {
  for (const { seq, headers } of [...server.work.messages()]) {
    const runId = headers[h.runId] as string;
    if (/^p\d$/.test(runId)) continue;
    const event = { runId, type: "succeeded", msgId: `${runId}/${seq}`, data: {} };
    if (tells) await one.ports.runs.append(event).catch(() => {});
    server.work.remove(seq);
  }
}

async function check(made: World, steps: readonly Step[]): Promise<void> {
  for (const taken of steps) {
    await act(made, taken);
    const followed = made.stored.filter((runId) => runId.endsWith(":then")).length;
    expect(followed).toBeLessThanOrEqual(made.ended.size);
    if (made.ended.size < PARENTS) expect(made.stored).not.toContain(`${GROUP}:done`);
  }
  made.server.faults = {};
  for (let n = 0; n < PARENTS; n++) await end(made, n, true);
  for (let round = 0; round < 3; round++) await work(made, round % 2 === 0 ? made.one : made.two);
  const follow = Array.from({ length: PARENTS }, (_, n) => [`p${n}`, `p${n}:then`]).flat();
  expect([...made.stored].sort()).toEqual([...follow, `${GROUP}:done`].sort());
  // The group is kept for a while.
  const left = keysIn(made).filter((key) => !made.server.chains.last(key)?.headers["KV-Operation"]);
  expect(left).toHaveLength(1);
}

test("what follows is queued once, whatever is lost and whoever works on it", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => check(await world(), steps)),
    { numRuns: 1_000 },
  );
});

test("what was queued is found again when the server has forgotten its message id", async () => {
  const steps: Step[] = [
    { kind: "end", parent: 0, succeeds: true },
    { kind: "fault", of: "chainWrite", what: "lost before", skip: 2 },
    { kind: "work", who: 0, isDeep: true, oursFor: ALWAYS },
    { kind: "done", tells: false },
    { kind: "forget" },
    { kind: "work", who: 1, isDeep: true, oursFor: ALWAYS },
  ];
  await check(await world(), steps);
});

test("what waits for its time, put there by one who crashed, is not taken for a job that was refused", async () => {
  const made = await world();
  const { server, one, two } = made;
  const onFailure = { queue: "q", payload: "sad" };
  await put(one, { queue: "q", jobId: "p9", onSuccess: { queue: "q", delay: "1h", onFailure } });
  await end(made, 9, true);
  let writes = 0;
  // The decision, and the record of what waits; not the end of its own record.
  server.faults.chainWrite = () => (writes++ === 2 ? "lost before" : undefined);
  await work(made, one);
  expect(server.timers.size).toBe(1);
  for (let again = 0; again < 2; again++) await work(made, two);
  expect([...server.runs.messages()].map(({ subject }) => subject)).not.toContain(
    "punctual.run.p9:then.skipped",
  );
  expect(made.stored.filter((runId) => runId.startsWith("p9"))).toEqual(["p9"]);
  const left = keysIn(made).filter((key) => !server.chains.last(key)?.headers["KV-Operation"]);
  expect(left.filter((key) => key.includes("p9"))).toEqual([expect.stringMatching(/run\.p9:then$/)]);
});

/** A run whose id is used again two minutes later, when what follows upon the first is a minute old. */
async function twoLives(made: World, isDone: boolean, more: object = {}): Promise<void> {
  const { clock, one } = made;
  const job = { queue: "q", jobId: "p9", onSuccess: { queue: "q", payload: "next", ...more } };
  await put(one, job);
  await clock.pass(60_000);
  await end(made, 9, true);
  await work(made, one);
  if (isDone) await finish(made, true);
  await clock.pass(61_000);
  await put(one, job);
  await end(made, 9, true);
  await work(made, one);
}

test("a run id that is used again soon has a continuation for each of its lives", async () => {
  const made = await world();
  await twoLives(made, true);
  const after = ["p9", "p9:then", "p9", "p9:then"];
  expect(made.stored.filter((runId) => runId.startsWith("p9"))).toEqual(after);
  await work(made, made.two);
  expect(made.stored.filter((runId) => runId.startsWith("p9"))).toEqual(after);
});

test("what follows upon the second life waits until what followed upon the first is over", async () => {
  const made = await world();
  await twoLives(made, false);
  const before = ["p9", "p9:then", "p9"];
  expect(made.stored.filter((runId) => runId.startsWith("p9"))).toEqual(before);
  await finish(made, true);
  await made.clock.pass(1);
  await work(made, made.two);
  expect(made.stored.filter((runId) => runId.startsWith("p9"))).toEqual([...before, "p9:then"]);
  const told = [...made.server.runs.messages()].map(({ subject }) => subject);
  expect(told).not.toContain("punctual.run.p9:then.skipped");
});

test("what waits for its time waits once for each life", async () => {
  const made = await world();
  await twoLives(made, true, { delay: "1h" });
  expect(made.server.timers.size).toBe(2);
});

test("what waits for its time is found there by one who takes over much later", async () => {
  const made = await world();
  const { server, clock, one, two } = made;
  await put(one, { queue: "q", jobId: "p9", onSuccess: { queue: "q", delay: "1h" } });
  await end(made, 9, true);
  let writes = 0;
  // The decision, and not the end of its record.
  server.faults.chainWrite = () => (writes++ > 0 ? "lost before" : undefined);
  await work(made, one);
  expect(server.timers.size).toBe(1);
  await clock.pass(600_000);
  await work(made, two);
  expect(server.timers.size).toBe(1);
});

test("a job that is refused when its time has come has all it was asked for in its letter, and what follows", async () => {
  const made = await world();
  const { server, one } = made;
  const onFailure = { queue: "q", payload: "sad" };
  const labels = { team: "billing" };
  const next = { queue: "q", payload: "next", retry: { maxAttempts: 99 }, labels, timeout: "3s", onFailure };
  await put(one, { queue: "q", jobId: "p9", onSuccess: next });
  await end(made, 9, true);
  for (let round = 0; round < 3; round++) await work(made, one);
  const [letter] = [...server.dead.messages()];
  expect(letter?.headers).toMatchObject({
    [h.runId]: "p9:then",
    [h.parent]: "p9",
    [h.onFailure]: JSON.stringify(onFailure),
    [h.labels]: "team=billing",
    [h.timeout]: "3000",
  });
  expect(server.dead.size).toBe(1);
  expect(made.stored.filter((runId) => runId.startsWith("p9"))).toEqual(["p9", "p9:then-2"]);
});
