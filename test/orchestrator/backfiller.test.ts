/**
 * Two orchestrators work off one backfill, each believing that the shard is its own, while writes and publishes get lost,
 * come late, or are done without an answer, connections break and workers finish jobs. Whatever happens, each slot is
 * put into WORK once.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Backfill } from "../../src/core/backfill.js";
import { emptyLease, LAST_ID } from "../../src/core/lease.js";
import { Backfiller } from "../../src/orchestrator/backfiller.js";
import { Definitions } from "../../src/orchestrator/definitions.js";
import { headers as h } from "../../src/protocol/headers.js";
import { silentLogger } from "../../src/runtime/log.js";
import { type Faults, ManualClock, MemoryServer, openMemoryPorts } from "../../src/testing/index.js";
import { definition, START } from "../contract/given.js";

const SLOTS = 40;
const ID = "b012345678";
const RANGE = { from: START - 3_600_000, to: START - 3_600_000 + (SLOTS - 1) * 1_000 };

type Fault = ReturnType<NonNullable<Faults["publish"]>>;
type Step =
  | { kind: "pass"; ms: number }
  | { kind: "fault"; of: "publish" | "backfillWrite" | "read"; what: Fault }
  | { kind: "cut"; who: number }
  | { kind: "late" }
  | { kind: "work" };

const anyFault = fc.constantFrom<Fault>("lost before", "answer lost", "late");
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("pass" as const), ms: fc.integer({ min: 1, max: 2_000 }) }),
  fc.record({
    kind: fc.constant("fault" as const),
    of: fc.constantFrom("publish" as const, "backfillWrite" as const, "read" as const),
    what: anyFault,
  }),
  fc.record({ kind: fc.constant("cut" as const), who: fc.nat(1) }),
  fc.constant({ kind: "late" as const }),
  fc.constant({ kind: "work" as const }),
);

class World {
  readonly clock = new ManualClock(START);
  readonly server = new MemoryServer({ clock: this.clock, shards: 1, answerTimeoutMs: 100 });
  /** Run ids of everything that WORK ever stored. */
  readonly stored: string[] = [];
  readonly #workers: { backfiller: Backfiller; cut(): void }[] = [];

  static async open(
    change: Partial<Backfill> = {},
    delivery: "at-least-once" | "at-most-once" = "at-least-once",
  ) {
    const world = new World();
    world.server.work.onStored(({ headers }) => world.stored.push(headers[h.runId] ?? ""));
    const { schedules, backfills, leases } = openMemoryPorts(world.server);
    const made = await schedules.write("s", definition({ delivery }), 0);
    if (made.kind !== "stored") throw new Error(made.kind);
    const backfill: Backfill = {
      ...{ scheduleId: "s", revision: made.revision, ...RANGE, reprocess: "none", backwards: false },
      ...{ rate: { count: 10, periodMs: 1_000 }, state: "running", cursor: null, batch: [], notBefore: 0 },
      ...{ slots: SLOTS, queued: 0, passedBy: 0, missed: 0, createdAt: START, changedAt: START },
      ...change,
    };
    await backfills.write(ID, backfill, 0);
    await leases.write(0, { ...emptyLease(START), cursor: { time: START, id: LAST_ID } }, 0);
    for (const who of [0, 1]) await world.join(who);
    return world;
  }

  async join(who: number): Promise<void> {
    delete this.server.faults.read; // a newcomer that hears nothing would wait for a clock that stands
    const { link, ...ports } = openMemoryPorts(this.server);
    const all = { ...ports, clock: this.clock, log: silentLogger };
    const definitions = new Definitions(1, this.server.names, silentLogger);
    await definitions.follow(ports.schedules);
    const backfiller = await new Backfiller(all, definitions, () => true).start();
    this.#workers[who] = {
      backfiller,
      cut: () => {
        void backfiller.stop();
        link.cut();
      },
    };
  }

  async act(taken: Step): Promise<void> {
    const { faults } = this.server;
    if (taken.kind === "pass") await this.clock.pass(taken.ms);
    else if (taken.kind === "late") this.server.deliverLate();
    else if (taken.kind === "work") this.doAll();
    else if (taken.kind === "cut") {
      this.#workers[taken.who]?.cut();
      await this.join(taken.who);
    } else if (taken.of === "read") faults.read = once(() => true, faults, "read");
    else faults[taken.of] = once(() => taken.what, faults, taken.of);
  }

  /** Workers do what is there, and tell nobody. */
  doAll(): void {
    for (const { seq } of [...this.server.work.messages()]) this.server.work.remove(seq);
  }

  async finish(): Promise<Backfill> {
    this.server.faults = {};
    const { backfills } = openMemoryPorts(this.server);
    for (let turn = 0; turn < 300; turn++) {
      await this.clock.pass(1_000);
      const record = await backfills.get(ID);
      if (record !== null && record.value.state !== "running") return record.value;
    }
    throw new Error("it never ends");
  }

  close(): void {
    for (const { cut } of this.#workers) cut();
  }
}

/** A fault that strikes once. */
function once<T>(fault: () => T, faults: Faults, of: keyof Faults): () => T {
  return () => {
    delete faults[of];
    return fault();
  };
}

test("each slot is queued once, whatever gets lost, comes late or breaks", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const world = await World.open();
      try {
        for (const taken of steps) await world.act(taken);
        const done = await world.finish();
        world.server.deliverLate();
        expect(done).toMatchObject({ state: "done", queued: SLOTS, missed: 0, passedBy: 0, batch: [] });
        expect(world.stored).toHaveLength(SLOTS);
        expect(new Set(world.stored).size).toBe(SLOTS);
      } finally {
        world.close();
      }
    }),
    { numRuns: 400, seed: 20_261_125 },
  );
});

test("a batch that was published long ago, and done, is not published again", async () => {
  const slots = [RANGE.from, RANGE.from + 1_000];
  const world = await World.open({ state: "cancelled" });
  const { backfills, work, names } = openMemoryPorts(world.server);
  const record = await backfills.get(ID);
  if (record === null) throw new Error("it is gone");
  // One of the two had been published when its orchestrator died, hours before anyone came.
  const runId = `s:20251231T230000Z:${ID}`;
  const subject = names.job("default", runId, "low");
  await work.publish({ subject, msgId: `${runId}/1`, headers: { [h.runId]: runId }, body: new Uint8Array() });
  world.doAll();
  await world.clock.pass(3_600_000);
  const found = { ...record.value, state: "running" as const, batch: slots, cursor: slots[1] as number };
  await backfills.write(ID, found, record.revision);
  expect(await world.finish()).toMatchObject({ state: "done", queued: SLOTS, missed: 0 });
  expect(world.stored.filter((stored) => stored === runId)).toHaveLength(1);
  expect(world.stored).toHaveLength(SLOTS);
  world.close();
});

test("a schedule that is to run at most once has a batch in doubt counted as missed", async () => {
  const slots = [RANGE.from, RANGE.from + 1_000];
  const world = await World.open({ batch: slots, cursor: slots[1] as number }, "at-most-once");
  const done = await world.finish();
  expect(done).toMatchObject({ state: "done", queued: SLOTS - 2, missed: 2 });
  expect(world.stored).toHaveLength(SLOTS - 2);
  world.close();
});

test("the rate holds, over all that work at it", async () => {
  const world = await World.open();
  for (let second = 1; second <= 3; second++) {
    await world.clock.pass(1_000);
    expect(world.stored.length).toBeLessThanOrEqual((second + 1) * 10);
  }
  world.close();
});

test("slots that may still fire by themselves wait until the shard has decided them", async () => {
  const world = await World.open({ from: START - 2_000, to: START + 2_000, slots: null });
  await world.clock.pass(10_000);
  expect(world.stored).toHaveLength(2);
  const { leases } = openMemoryPorts(world.server);
  const lease = await leases.read(0);
  const cursor = { time: START + 60_000, id: LAST_ID };
  const firing = [{ scheduleId: "s", slot: START, revision: 1, firstTerm: 1 }];
  const backlog = [{ scheduleId: "s", revision: 1, after: START, until: START + 2_000 }];
  const open = { ...emptyLease(START), cursor, firing, backlog };
  const written = await leases.write(0, open, lease?.revision ?? 0);
  if (written.kind !== "stored") throw new Error(written.kind);
  await world.clock.pass(10_000);
  expect(world.stored).toHaveLength(2);
  await leases.write(0, { ...emptyLease(START), cursor }, written.revision);
  expect(await world.finish()).toMatchObject({ state: "done", queued: 5 });
  world.close();
});
