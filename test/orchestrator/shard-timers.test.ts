/**
 * Two orchestrators fire the timers of one shard, each believing that the shard is its own, while puts, publishes and
 * answers get lost or come late, watches lag, connections break, workers finish jobs and people cancel. Whatever happens,
 * each timer is queued once and not before its time, or was cancelled and is not queued at all.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Dispatcher } from "../../src/orchestrator/dispatcher.js";
import { FiredMemory, FiredTimers } from "../../src/orchestrator/fired-timers.js";
import { JobService } from "../../src/orchestrator/job-service.js";
import { Passages } from "../../src/orchestrator/passage.js";
import { ShardTimers } from "../../src/orchestrator/shard-timers.js";
import { enqueueRequest } from "../../src/protocol/enqueue-input.js";
import { headers as h } from "../../src/protocol/headers.js";
import { Admission } from "../../src/runtime/admission.js";
import { silentLogger } from "../../src/runtime/log.js";
import { type Faults, ManualClock, MemoryServer, openMemoryPorts } from "../../src/testing/index.js";
import { START } from "../contract/given.js";

type Fault = ReturnType<NonNullable<Faults["publish"]>>;
type Ports = ReturnType<typeof openMemoryPorts>;

class World {
  readonly clock = new ManualClock(START);
  readonly server = new MemoryServer({ clock: this.clock, shards: 1, answerTimeoutMs: 100 });
  /** Run ids of all jobs that WORK ever stored, and when. */
  readonly queued: { runId: string; at: number; subject: string; attempts: string | undefined }[] = [];
  readonly jobs: JobService;
  readonly ports: Ports;
  readonly holders: { timers: ShardTimers; ports: Ports; cut(): void }[] = [];

  /** What the first holder remembers over the end of its connection; the others are new processes. */
  readonly memory = new FiredMemory();

  constructor() {
    this.server.work.onStored(({ headers, subject }) => {
      if (subject.includes("._void.")) return;
      const attempts = headers[h.attemptsBefore];
      this.queued.push({ runId: headers[h.runId] ?? "", at: this.clock.now(), subject, attempts });
    });
    this.ports = openMemoryPorts(this.server);
    let ids = 0;
    const admission = new Admission({ ...this.ports, clock: this.clock });
    this.jobs = new JobService({
      ...this.ports,
      admission,
      clock: this.clock,
      newNonce: () => `id-${++ids}`,
    });
  }

  join(who: number): ShardTimers {
    const { link, ...ports } = openMemoryPorts(this.server);
    const dispatcher = new Dispatcher(ports.work, this.clock);
    const admission = new Admission({ ...ports, clock: this.clock });
    const memory = who === 0 ? this.memory : new FiredMemory();
    const own = { ...ports, clock: this.clock, log: silentLogger };
    const all = {
      ...own,
      dispatcher,
      admission,
      firedTimers: new FiredTimers(own, memory),
    };
    const timers = new ShardTimers(all, 0, () => link.isOpen);
    const cut = () => {
      timers.stop();
      dispatcher.stop();
      link.cut();
    };
    this.holders[who] = { timers, ports: { link, ...ports }, cut };
    void timers.run();
    return timers;
  }

  /** @param jobId undefined: one is made for it */
  async later(jobId: string | undefined, ms: number, more: object = {}): Promise<string> {
    const at = new Date(this.clock.now() + ms).toISOString();
    const { timer } = await this.jobs.enqueue(enqueueRequest.parse({ jobId, at, queue: "q", ...more }));
    return timer as string;
  }

  /** Whoever waits at a gate. */
  async letPass(): Promise<void> {
    for (const { seq, subject } of [...this.server.work.messages()]) {
      if (!subject.includes(".gate.")) continue;
      const passages = new Passages({ ...this.ports, clock: this.clock, log: silentLogger }, () => true);
      const turn = { come: Promise.resolve(), over: () => {} };
      const passing = passages.pass({ seq, key: "k", ticket: 1, isInherited: false }, turn);
      await this.clock.pass(1);
      await passing;
      this.server.work.remove(seq);
    }
  }

  /** Run ids of what came to workers, in order. */
  get passed(): string[] {
    return this.queued.flatMap(({ runId, subject }) => (subject.includes(".gate.") ? [] : [runId]));
  }

  /**
   * The server is killed: it has all timers again, and knows no message id any more. Then another process has the shard.
   *
   * @returns how many timers it has again
   */
  async afterKill(): Promise<number> {
    this.holders[0]?.cut();
    this.server.timers.forgetRemovals();
    this.server.forget();
    const { waiting } = this;
    this.join(1);
    await this.clock.pass(5_000);
    return waiting;
  }

  /** Jobs: tombstones are no worker's. */
  doAll(): void {
    for (const { seq, subject } of [...this.server.work.messages()])
      if (!subject.includes("._void.")) this.server.work.remove(seq);
  }

  /** The end of a run, as RUNS tells it. */
  async ends(runId: string): Promise<string[]> {
    return (await this.ports.history.events(runId)).map(({ type }) => type);
  }

  get waiting(): number {
    return this.server.timers.size;
  }

  close(): void {
    for (const { cut } of this.holders) cut();
  }
}

function worldWith(holders: number): World {
  const world = new World();
  for (let who = 0; who < holders; who++) world.join(who);
  return world;
}

describe("one holder", () => {
  test("a job is queued at its time, with what it was given, and told to be a timer's", async () => {
    const world = worldWith(1);
    await world.later("a", 90_000, { payload: { n: 1 }, labels: { team: "red" } });
    await world.clock.pass(89_999);
    expect(world.queued).toEqual([]);
    await world.clock.pass(1);
    expect(world.queued).toMatchObject([{ runId: "a", at: START + 90_000, subject: "punctual.work.q.a" }]);
    const [message] = world.server.work.messages();
    expect(message?.headers).toMatchObject({
      [h.trigger]: "timer",
      [h.labels]: "team=red",
      [h.fireTime]: new Date(START + 90_000).toISOString(),
    });
    expect(message?.headers).not.toHaveProperty(h.at);
    expect(message?.headers).not.toHaveProperty(h.subject);
    expect(Buffer.from(message?.body ?? []).toString()).toBe('{"n":1}');
    await world.clock.pass(1_000);
    expect(world.waiting).toBe(0);
    world.close();
  });

  test("what the watch did not tell of, as after the server was lost, is found half a minute after a term began", async () => {
    const world = worldWith(1);
    await world.clock.pass(1_000);
    world.server.faults.watchDelayMs = () => 3_600_000;
    await world.later("a", 3_000);
    await world.clock.pass(35_000);
    expect(world.queued.map(({ runId }) => runId)).toEqual(["a"]);
    world.close();
  });

  test("a year ahead, and only what is near is kept in memory", async () => {
    const world = worldWith(1);
    for (let day = 1; day <= 366; day += 5) await world.later(`d${day}`, day * 86_400_000);
    const timers = world.holders[0]?.timers as ShardTimers;
    await world.clock.pass(1_000);
    expect(timers.size).toBe(0);
    for (let day = 1; day <= 366; day += 5) {
      // What lies in between is slept over, as by a process that was suspended.
      world.clock.jump((day === 1 ? 1 : 5) * 86_400_000 - 180_000);
      await world.clock.pass(180_000);
      expect(timers.size).toBeLessThanOrEqual(1);
    }
    expect(world.queued.map(({ runId }) => runId)).toEqual(
      Array.from({ length: 74 }, (_, i) => `d${i * 5 + 1}`),
    );
    world.close();
  });

  test("jobs for a time that has passed are queued at once, those that came while nobody was there first", async () => {
    const world = worldWith(0);
    await world.later("old", 60_000);
    await world.later("older", 30_000);
    await world.later("late", 86_400_000);
    await world.clock.pass(3_600_000);
    world.join(0);
    await world.clock.pass(100);
    expect(world.queued.map(({ runId }) => runId)).toEqual(["older", "old"]);
    world.close();
  });

  test("a job that could not be started by its deadline expires, and is not queued", async () => {
    const world = worldWith(0);
    await world.later("x", 10_000, { startDeadline: "5s" });
    await world.later("y", 10_000, { startDeadline: "5m" });
    await world.clock.pass(60_000);
    world.join(0);
    await world.clock.pass(1_000);
    expect(world.queued.map(({ runId }) => runId)).toEqual(["y"]);
    expect(await world.ends("x")).toEqual(["expired"]);
    expect(world.waiting).toBe(0);
    world.close();
  });

  test("a key that is taken when the time comes makes the job skipped, and it is told", async () => {
    const world = worldWith(1);
    await world.later("a", 10_000, { unique: "k" });
    await world.jobs.enqueue(enqueueRequest.parse({ jobId: "b", unique: "k", queue: "q" }));
    await world.clock.pass(20_000);
    expect(world.queued.map(({ runId }) => runId)).toEqual(["b"]);
    expect(await world.ends("a")).toEqual(["skipped"]);
    expect(world.waiting).toBe(0);
    world.close();
  });

  test("a job that comes back for another attempt waits until its place is free", async () => {
    const world = worldWith(1);
    await world.later("a", 10_000, { unique: "k" });
    const [stored] = world.server.timers.messages();
    Object.assign(stored?.headers ?? {}, { [h.attemptsBefore]: "1" });
    await world.jobs.enqueue(enqueueRequest.parse({ jobId: "b", unique: "k", queue: "q" }));
    await world.clock.pass(20_000);
    expect(world.queued.map(({ runId }) => runId)).toEqual(["b"]);
    world.doAll();
    await world.clock.pass(2_000);
    expect(world.queued.map(({ runId }) => runId)).toEqual(["b", "a"]);
    world.close();
  });

  test("a full stream holds jobs up, and loses none", async () => {
    const world = worldWith(1);
    for (let i = 0; i < 20; i++) await world.later(`f${i}`, 5_000);
    world.server.work.maxMessages = 7;
    await world.clock.pass(10_000);
    expect(world.queued).toHaveLength(7);
    for (let turn = 0; turn < 5; turn++) {
      world.doAll();
      await world.clock.pass(1_000);
    }
    expect(world.queued).toHaveLength(20);
    expect(world.waiting).toBe(0);
    world.close();
  });

  test("what does not say where it belongs goes to the dead letters", async () => {
    const world = worldWith(1);
    const subject = world.server.names.timer(0, START);
    await world.ports.timers.put({ subject, msgId: "?", headers: {}, body: new Uint8Array([1]) });
    await world.clock.pass(1_000);
    expect(world.waiting).toBe(0);
    expect([...world.server.dead.messages()].map(({ headers }) => headers[h.error])).toEqual([
      "it does not say where it belongs",
    ]);
    world.close();
  });

  test("the same job enqueued twice, after the server has forgotten the first, is one", async () => {
    const world = worldWith(1);
    await world.later("a", 400_000);
    await world.clock.pass(200_000);
    await world.later("a", 200_000);
    expect(world.waiting).toBe(2);
    await world.clock.pass(200_001);
    world.doAll();
    await world.clock.pass(300_000);
    expect(world.queued).toHaveLength(1);
    expect(world.waiting).toBe(0);
    world.close();
  });
});

describe("takeover", () => {
  test("a job that was queued, done and not removed is not queued again, though the server has forgotten it", async () => {
    const world = worldWith(1);
    await world.later("a", 10_000);
    world.server.faults.read = (what) => what === "remove timer";
    await world.clock.pass(10_000);
    world.holders[0]?.cut();
    world.doAll();
    world.server.faults = {};
    world.server.forget();
    expect(world.waiting).toBe(1);
    world.join(0);
    await world.clock.pass(5_000);
    expect(world.queued).toHaveLength(1);
    expect(world.waiting).toBe(0);
    world.close();
  });

  test.each([
    ["plain ones", {}, {}],
    ["with a key that others have had since", { unique: "k" }, {}],
    [
      "that had to wait at the gate of their queue",
      { key: "k" },
      { perKey: { concurrency: 2, order: false } },
    ],
  ])(
    "jobs that were queued and done are not queued again after a kill of the server: %s",
    async (_, more, settings) => {
      const world = worldWith(0);
      await world.ports.queues.ensure("q", settings);
      for (const [index, id] of ["a", "b", "c"].entries())
        await world.later(id, 10_000 + index * 1_000, more);
      world.join(0);
      for (let second = 0; second < 20; second++) {
        await world.clock.pass(1_000);
        await world.letPass();
        world.doAll();
      }
      expect(world.passed).toEqual(["a", "b", "c"]);
      expect(await world.afterKill()).toBe(3);
      await world.letPass();
      expect(world.passed).toEqual(["a", "b", "c"]);
      expect(world.waiting).toBe(0);
      world.close();
    },
  );

  test("those of a queue without history, of whose jobs the server tells nothing, are not queued again either", async () => {
    const world = worldWith(0);
    await world.ports.queues.ensure("quiet", { history: "off" });
    const ids: string[] = [];
    for (const ms of [10_000, 10_000, 12_000])
      ids.push(runOf(await world.later(undefined, ms, { queue: "quiet" })));
    world.join(0);
    let refusals = 2;
    world.server.faults.firedRecord = () => (refusals-- > 0 ? "lost before" : undefined);
    await world.clock.pass(15_000);
    world.doAll();
    expect([...world.passed].sort()).toEqual([...ids].sort());
    expect([...world.server.runs.subjects()]).toEqual(["punctual.fired.quiet"]);
    expect(await world.afterKill()).toBe(3);
    expect(world.passed).toHaveLength(3);
    expect(world.waiting).toBe(0);
    world.close();
  });

  test("nor are those that had to wait at the gate that their queue has by then", async () => {
    const world = worldWith(0);
    await world.ports.queues.ensure("quiet", { history: "off" });
    const ids: string[] = [];
    for (const ms of [10_000, 11_000]) ids.push(runOf(await world.later(undefined, ms, { queue: "quiet" })));
    const limited = { history: "off" as const, rate: { limit: 100, periodMs: 1_000, burst: 100 } };
    const record = await world.ports.queues.get("quiet");
    await world.ports.queues.write("quiet", limited, record?.revision ?? 0);
    await world.clock.pass(2_000);
    world.join(0);
    await world.clock.pass(15_000);
    await world.letPass();
    world.doAll();
    expect(world.passed).toEqual(ids);
    expect(await world.afterKill()).toBe(2);
    await world.letPass();
    expect(world.passed).toEqual(ids);
    expect(world.waiting).toBe(0);
    world.close();
  });

  test("one that it has fired is not fired again by who could tell nobody of it before the server was lost", async () => {
    const world = worldWith(1);
    await world.ports.queues.ensure("quiet", { history: "off" });
    await world.later(undefined, 10_000, { queue: "quiet" });
    world.server.faults.firedRecord = () => "lost before";
    await world.clock.pass(10_100);
    world.doAll();
    world.holders[0]?.cut();
    world.server.forget();
    expect([world.passed.length, world.waiting]).toEqual([1, 1]);
    world.join(0);
    await world.clock.pass(5_000);
    expect([world.passed.length, world.waiting]).toEqual([1, 0]);
    world.server.faults = {};
    await world.clock.pass(5_000);
    expect([...world.server.runs.subjects()]).toEqual(["punctual.fired.quiet"]);
    world.close();
  });

  test("a retry that was queued is not queued again after a kill of the server, nor when another followed", async () => {
    const world = worldWith(0);
    for (const attempts of [1, 2]) {
      await world.later("a", 1_000, {});
      const stored = [...world.server.timers.messages()].at(-1);
      const fireTime = new Date(START).toISOString();
      Object.assign(stored?.headers ?? {}, { [h.attemptsBefore]: `${attempts}`, [h.fireTime]: fireTime });
      world.join(0);
      await world.clock.pass(5_000);
      world.doAll();
      world.holders[0]?.cut();
      world.server.forget();
    }
    expect(world.queued.map(({ attempts }) => attempts)).toEqual(["1", "2"]);
    world.server.timers.forgetRemovals();
    expect(world.waiting).toBe(2);
    world.join(0);
    await world.clock.pass(5_000);
    expect(world.queued).toHaveLength(2);
    world.close();
  });

  test("an id that was used for an earlier run does not make the new one look done", async () => {
    const world = worldWith(1);
    await world.later("a", 10_000);
    await world.clock.pass(10_000);
    world.doAll();
    await world.clock.pass(600_000);
    await world.later("a", 10_000);
    world.holders[0]?.cut();
    await world.clock.pass(60_000);
    world.join(0);
    await world.clock.pass(1_000);
    expect(world.queued).toHaveLength(2);
    world.close();
  });
});

test("a run that was queued a moment before, under the same id, does not make its timer look done", async () => {
  const world = worldWith(0);
  await world.jobs.enqueue(enqueueRequest.parse({ jobId: "a", queue: "q" }));
  world.doAll();
  await world.later("a", 10);
  await world.ports.runs.append({ runId: "a", type: "succeeded", msgId: "late", data: {} });
  world.join(0);
  await world.clock.pass(1_000);
  expect(world.queued).toHaveLength(2);
  world.close();
});

describe("cancelling and rescheduling", () => {
  test("a cancelled job is never queued, and it is told", async () => {
    const world = worldWith(1);
    const timer = await world.later("a", 60_000);
    expect(await world.jobs.cancel({ timer })).toEqual({ runId: "a" });
    await world.clock.pass(120_000);
    expect(world.queued).toEqual([]);
    expect(await world.ends("a")).toEqual(["cancelled"]);
    await expect(world.jobs.cancel({ timer })).rejects.toMatchObject({ code: "not_found" });
    world.close();
  });

  test("a job that was cancelled is not queued when the server was killed, has it again, and has forgotten its id", async () => {
    const world = worldWith(1);
    const timer = await world.later("a", 60_000);
    await world.jobs.cancel({ timer });
    world.holders[0]?.cut();
    world.server.timers.forgetRemovals();
    await world.clock.pass(300_000);
    expect(world.waiting).toBe(1);
    world.join(0);
    await world.clock.pass(5_000);
    expect(world.queued).toEqual([]);
    expect(world.waiting).toBe(0);
    expect(await world.ends("a")).toContain("cancelled");
    world.close();
  });

  test("a job whose message is still there, and which was queued, cannot be cancelled any more", async () => {
    const world = worldWith(1);
    const timer = await world.later("a", 10_000);
    world.server.faults.read = (what) => what === "remove timer";
    await world.clock.pass(10_000);
    world.doAll();
    await expect(world.jobs.cancel({ timer })).rejects.toMatchObject({ code: "conflict" });
    world.holders[0]?.cut();
    world.server.faults = {};
    const moved = { timer, at: undefined, delay: 60_000 };
    await expect(world.jobs.reschedule(moved)).rejects.toMatchObject({ code: "conflict" });
    world.join(0);
    await world.clock.pass(200_000);
    expect(world.queued).toHaveLength(1);
    expect(world.waiting).toBe(0);
    world.close();
  });

  test("a job that was queued and done cannot be cancelled, though the server has forgotten it", async () => {
    const world = worldWith(1);
    const timer = await world.later("a", 10_000);
    world.server.faults.read = (what) => what === "remove timer";
    await world.clock.pass(10_000);
    world.holders[0]?.cut();
    world.server.faults = {};
    world.doAll();
    world.server.forget();
    await expect(world.jobs.cancel({ timer })).rejects.toMatchObject({ code: "conflict" });
    expect(await world.ends("a")).toEqual([]);
    world.join(0);
    await world.clock.pass(10_000);
    expect(world.queued).toHaveLength(1);
    expect(world.waiting).toBe(0);
    world.close();
  });

  test("a rescheduled job is queued at the new time only, however often it is moved", async () => {
    const world = worldWith(1);
    const first = await world.later("a", 60_000, { startDeadline: "1s" });
    const at = (ms: number) => ({ at: START + ms, delay: undefined });
    const { timer: second } = await world.jobs.reschedule({ timer: first, ...at(600_000) });
    expect(second).toBe("a@20260101T001000Z");
    const { timer: third } = await world.jobs.reschedule({ timer: second, ...at(60_000) });
    expect(third).toBe(first);
    const { timer: fourth } = await world.jobs.reschedule({ timer: third, ...at(600_000) });
    await expect(world.jobs.reschedule({ timer: first, ...at(1_000) })).rejects.toMatchObject({
      code: "not_found",
    });
    expect(await world.jobs.reschedule({ timer: fourth, ...at(600_000) })).toEqual({
      runId: "a",
      timer: fourth,
    });
    await world.clock.pass(599_999);
    expect(world.queued).toEqual([]);
    await world.clock.pass(1_001);
    expect(world.queued).toMatchObject([{ runId: "a", at: START + 600_000 }]);
    expect(await world.ends("a")).toEqual([]);
    world.close();
  });

  test("moved to a time that has passed, a job is queued at once", async () => {
    const world = worldWith(1);
    const timer = await world.later("a", 86_400_000);
    await world.jobs.reschedule({ timer, at: 0, delay: undefined });
    await world.clock.pass(100);
    expect(world.queued).toMatchObject([{ runId: "a" }]);
    world.close();
  });
});

const COUNT = 12;
const anyFault = fc.constantFrom<Fault>("lost before", "answer lost", "late");
type Step =
  | { kind: "pass"; ms: number }
  | { kind: "fault"; of: "publish" | "read" | "runEvent"; what: Fault }
  | { kind: "lag"; ms: number }
  | { kind: "cut"; who: number }
  | { kind: "cancel"; which: number }
  | { kind: "late" }
  | { kind: "work" };
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    arbitrary: fc.record({ kind: fc.constant("pass" as const), ms: fc.integer({ min: 1, max: 40_000 }) }),
    weight: 3,
  },
  fc.record({
    kind: fc.constant("fault" as const),
    of: fc.constantFrom("publish" as const, "read" as const, "runEvent" as const),
    what: anyFault,
  }),
  fc.record({ kind: fc.constant("lag" as const), ms: fc.integer({ min: 0, max: 20_000 }) }),
  fc.record({ kind: fc.constant("cut" as const), who: fc.nat(1) }),
  fc.record({ kind: fc.constant("cancel" as const), which: fc.nat(COUNT - 1) }),
  fc.constant({ kind: "late" as const }),
  fc.constant({ kind: "work" as const }),
);

test("each timer is queued once and in time, or was cancelled, whatever gets lost, comes late or breaks", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const world = worldWith(2);
      try {
        await world.ports.queues.ensure("quiet", { history: "off" });
        const due = new Map<string, number>();
        const ids: string[] = [];
        for (let i = 0; i < COUNT; i++) {
          const ms = ((i * 37_000) % 200_000) + 1;
          const isQuiet = i % 2 === 1;
          const id = isQuiet
            ? await world.later(undefined, ms, { queue: "quiet" })
            : await world.later(`t${i}`, ms);
          ids.push(id);
          due.set(runOf(id), START + ms);
        }
        const cancelled = new Set<string>();
        const tooLate = new Set<string>();
        const cancel = async (which: number) => {
          const timer = ids[which] as string;
          const runId = runOf(timer);
          try {
            await world.jobs.cancel({ timer });
            cancelled.add(runId);
          } catch (error) {
            if ((error as { code: string }).code === "conflict") tooLate.add(runId);
          }
        };
        const cancelling: Promise<void>[] = [];
        const faults = world.server.faults;
        let passes = 0;
        for (const taken of steps) {
          if (taken.kind === "pass") {
            await world.clock.pass(taken.ms);
            // What comes after the server has forgotten the id of the first is beyond what can be kept.
            if (world.server.lateRequests > 0 && ++passes > 1) world.server.deliverLate();
            if (world.server.lateRequests === 0) passes = 0;
          } else if (taken.kind === "late") world.server.deliverLate();
          else if (taken.kind === "work") world.doAll();
          else if (taken.kind === "lag") faults.watchDelayMs = () => taken.ms;
          else if (taken.kind === "cancel") cancelling.push(cancel(taken.which));
          else if (taken.kind === "cut") {
            world.holders[taken.who]?.cut();
            world.join(taken.who);
          } else if (taken.of === "read") faults.read = once(() => true, faults, "read");
          else faults[taken.of] = once(() => taken.what, faults, taken.of);
        }
        world.server.faults = {};
        world.server.deliverLate();
        for (let turn = 0; turn < 40; turn++) {
          await world.clock.pass(10_000);
          world.doAll();
        }
        await Promise.all(cancelling);
        const counts = new Map(ids.map((id) => [runOf(id), 0]));
        for (const { runId, at } of world.queued) {
          counts.set(runId, (counts.get(runId) ?? 0) + 1);
          expect(at).toBeGreaterThanOrEqual(due.get(runId) as number);
        }
        for (const [runId, count] of counts) {
          if (cancelled.has(runId)) expect([runId, count]).toEqual([runId, 0]);
          else if (tooLate.has(runId)) expect([runId, count]).toEqual([runId, 1]);
          // An answer that never came leaves it open whether it is cancelled.
          else if (!(await world.ends(runId)).includes("cancelled"))
            expect([runId, count]).toEqual([runId, 1]);
          else expect(count).toBeLessThanOrEqual(1);
        }
        expect(world.waiting).toBe(0);
      } finally {
        world.close();
      }
    }),
    { numRuns: 300, seed: 20_261_126 },
  );
});

const runOf = (timer: string): string => timer.slice(0, timer.indexOf("@"));

/** A fault that strikes once. */
function once<T>(fault: () => T, faults: Faults, of: keyof Faults): () => T {
  return () => {
    delete faults[of];
    return fault();
  };
}
