/** What rules find, and what of it another orchestrator still knows when it takes over and RUNS has forgotten. */
import { describe, expect, it, onTestFinished } from "vitest";
import { AlertBook } from "../../src/orchestrator/alert-book.js";
import { AlertService } from "../../src/orchestrator/alert-service.js";
import { Definitions } from "../../src/orchestrator/definitions.js";
import { RuleJudge } from "../../src/orchestrator/rule-judge.js";
import type { AlertInput } from "../../src/protocol/alert-input.js";
import { alertInput } from "../../src/protocol/alert-input.js";
import { headers as h } from "../../src/protocol/headers.js";
import { runIdOf } from "../../src/protocol/names.js";
import { silentLogger } from "../../src/runtime/log.js";
import { ManualClock, MemoryServer, openMemoryPorts } from "../../src/testing/index.js";
import { definition, lease, START } from "../contract/given.js";

const MINUTE = 60_000;
const DAY = 86_400_000;

async function world() {
  const clock = new ManualClock(START);
  const server = new MemoryServer({ clock, shards: 1 });
  const { names } = server;
  const ports = { ...openMemoryPorts(server), clock, log: silentLogger, figures };
  const alerts = new AlertService(ports);
  /** An orchestrator that has just taken over. */
  const judging = async () => {
    const own = { ...openMemoryPorts(server), clock, log: silentLogger, figures };
    const definitions = new Definitions(1, names, silentLogger);
    const following = [await definitions.follow(own.schedules)];
    const book = new AlertBook(own);
    following.push(await book.follow());
    await book.load();
    onTestFinished(async () => {
      for (const one of following) await one.stop();
    });
    const judge = new RuleJudge(own, definitions, book);
    return async () => (await judge.look()).found.map(({ rule, target }) => `${rule} ${target}`);
  };
  let [revision, firstRevision] = [0, 0];
  const define = async (more: Parameters<typeof definition>[0] = {}) => {
    const outcome = await ports.schedules.write("nightly", definition({ firstRevision, ...more }), revision);
    if (outcome.kind !== "stored") throw new Error(outcome.kind);
    revision = outcome.revision;
    if (firstRevision === 0) firstRevision = revision;
  };
  /** The slot of a minute is in WORK, and RUNS tells so. */
  const fire = async (minute: number, trigger = "schedule") => {
    const runId = runIdOf("nightly", START + minute * MINUTE);
    const subject = names.fire("default", "nightly", String(minute));
    const headers = { [h.runId]: runId, [h.trigger]: trigger };
    const stored = await ports.work.publish({
      subject,
      msgId: `${runId}/1`,
      headers,
      body: new Uint8Array(),
    });
    const seq = stored.kind === "stored" ? stored.seq : 0;
    const fired = [{ scheduleId: "nightly", slot: START + minute * MINUTE, seq }];
    await ports.runs.appendSlots({ shard: 0, term: 1, msgId: `slots/${minute}`, fired });
    return { runId, seq };
  };
  const tell = ({ runId, seq }: { runId: string; seq: number }, type: string, data: object = {}) =>
    ports.runs.append({ runId, type, msgId: `${runId}/${type}/${seq}`, data: { attempt: 1, ...data } });
  const end = async (minute: number, type: "dead" | "succeeded") => {
    const run = await fire(minute);
    await tell(run, type);
    await ports.work.remove(run.seq);
    await clock.pass(1_000);
  };
  const forget = () => {
    for (const { seq } of [...server.runs.messages()]) server.runs.remove(seq);
  };
  const put = (name: string, rule: AlertInput) =>
    alerts.put({ name, rule: alertInput.parse(rule), ifRevision: undefined });
  return { clock, server, ports, names, alerts, judging, define, fire, tell, end, forget, put };
}

const figures = {
  queues: async () => [{ queue: "default", lane: "work", waiting: 3, inFlight: 0, oldestAgeMs: 5_000 }],
  deadLetters: async () => new Map<string, number>(),
  clockOffset: async () => 0,
};

describe("failures in a row", () => {
  it("are counted on by a successor, and counted once, whatever RUNS still tells", async () => {
    const { judging, define, end, forget, put } = await world();
    await define();
    await put("failing", { kind: "failing", times: 3 });
    const first = await judging();
    await end(1, "dead");
    await end(2, "dead");
    expect(await first()).toEqual([]);
    expect(await (await judging())()).toEqual([]);
    forget();
    const second = await judging();
    expect(await second()).toEqual([]);
    await end(3, "dead");
    expect(await second()).toEqual(["failing schedule.nightly"]);
    expect(await (await judging())()).toEqual(["failing schedule.nightly"]);
    await end(4, "succeeded");
    expect(await second()).toEqual([]);
    forget();
    expect(await (await judging())()).toEqual([]);
  });

  it("count once, though more is told of a run that is over", async () => {
    const { judging, define, fire, tell, put } = await world();
    await define();
    await put("failing", { kind: "failing", times: 2 });
    const look = await judging();
    const run = await fire(1);
    await tell(run, "dead");
    expect(await look()).toEqual([]);
    await tell(run, "progress", { value: 1 });
    expect(await look()).toEqual([]);
    expect(await (await judging())()).toEqual([]);
  });

  it("of the past are found when a rule is new, and when a schedule comes to be meant", async () => {
    const { judging, define, end, put } = await world();
    await define();
    await end(1, "dead");
    await put("other", { kind: "failing", schedules: { ids: ["other"] } });
    const look = await judging();
    expect(await look()).toEqual([]);
    await put("team", { kind: "failing", schedules: { labels: "team=ops" } });
    expect(await look()).toEqual([]);
    await define({ labels: { team: "ops" } });
    expect(await look()).toEqual(["team schedule.nightly"]);
    await put("all", { kind: "failing" });
    expect(await look()).toEqual(["team schedule.nightly", "all schedule.nightly"]);
    await define({ labels: {} });
    expect(await look()).toEqual(["all schedule.nightly"]);
  });

  it("of a queue count what schedules fired into it, and jobs", async () => {
    const { names, server, judging, define, end, put, tell } = await world();
    await define();
    await put("queue", { kind: "failing", times: 2, queues: ["default"] });
    const look = await judging();
    await end(1, "dead");
    expect(await look()).toEqual([]);
    const queued = names.queued(names.job("default", "job-1"));
    const headers = { [h.runId]: "job-1", "Nats-Sequence": "77" };
    server.runs.store({ subject: queued, headers, body: new Uint8Array() });
    await tell({ runId: "job-1", seq: 77 }, "dead", { queue: "default" });
    expect(await look()).toEqual(["queue queue.default"]);
  });
});

describe("a success", () => {
  it("is remembered for longer than RUNS goes back", async () => {
    const { clock, judging, define, end, forget, put } = await world();
    await define();
    await put("monthly", { kind: "not-succeeded", within: "32d" });
    const look = await judging();
    await clock.pass(20 * DAY);
    await end(20 * 1_440, "succeeded");
    expect(await look()).toEqual([]);
    forget();
    await clock.pass(31 * DAY);
    expect(await (await judging())()).toEqual([]);
    await clock.pass(2 * DAY);
    expect(await (await judging())()).toEqual(["monthly schedule.nightly"]);
  });
});

describe("a run that is under way", () => {
  it("is known to a successor though RUNS has forgotten it, until it has left its queue", async () => {
    const { clock, ports, judging, define, fire, tell, forget, put } = await world();
    await define();
    await put("long", { kind: "running-long", after: "1h" });
    const run = await fire(0);
    await tell(run, "started");
    await clock.pass(2 * MINUTE);
    expect(await (await judging())()).toEqual([]);
    forget();
    await clock.pass(60 * MINUTE);
    expect(await (await judging())()).toEqual(["long schedule.nightly"]);
    await ports.work.remove(run.seq);
    expect(await (await judging())()).toEqual([]);
  });

  it("of a worker that says nothing has begun when it was handed out, and is then not late", async () => {
    const { clock, ports, judging, define, fire, put } = await world();
    await define();
    await put("late", { kind: "late", after: "30s" });
    await put("long", { kind: "running-long", after: "1h" });
    await ports.queues.ensure("default", { ackWaitMs: DAY });
    await ports.leases.write(0, lease({ cursor: { time: START + DAY, id: "~" } }), 0);
    await fire(0);
    const look = await judging();
    await clock.pass(MINUTE);
    expect(await look()).toEqual(["late schedule.nightly"]);
    await ports.source.consume("default", { concurrency: 1, onDelivery: () => {} });
    await clock.pass(1);
    expect(await look()).toEqual([]);
    await clock.pass(61 * MINUTE);
    expect(await look()).toEqual(["long schedule.nightly"]);
  });
});

describe("a crowd of jobs that wait", () => {
  const crowded = async () => {
    const on = await world();
    const { clock, ports, names, define, put } = on;
    await define();
    await put("crowd", { kind: "running-long", after: "1d", queues: ["crowded"] });
    for (let i = 0; i < 1_100; i++) {
      const subject = names.job("crowded", `j${i}`);
      const headers = { [h.runId]: `j${i}` };
      await ports.work.publish({ subject, msgId: `j${i}/1`, headers, body: new Uint8Array() });
    }
    await clock.pass(1);
    return on;
  };

  it("does not keep others from being seen with a worker that says nothing", async () => {
    const { clock, ports, judging, fire, put } = await crowded();
    await put("late", { kind: "late", after: "30s" });
    await ports.queues.ensure("default", { ackWaitMs: DAY });
    await ports.leases.write(0, lease({ cursor: { time: START + DAY, id: "~" } }), 0);
    await fire(0);
    await ports.source.consume("default", { concurrency: 1, onDelivery: () => {} });
    await clock.pass(MINUTE);
    expect(await (await judging())()).toEqual([]);
  });

  it("does not keep others from being known to a successor", async () => {
    const { clock, judging, fire, forget, put } = await crowded();
    await put("late", { kind: "late", after: "1h" });
    await fire(0);
    await clock.pass(2 * MINUTE);
    await (await judging())();
    forget();
    await clock.pass(60 * MINUTE);
    expect(await (await judging())()).toEqual(["late schedule.nightly"]);
  });
});

describe("a slot that is due", () => {
  const minutely = { spec: { kind: "every", everyMs: MINUTE, phaseMs: 0 } } as const;

  it.each<[string, Parameters<typeof lease>[0], string[]]>([
    ["and decided", { cursor: { time: START + 5 * MINUTE, id: "~" } }, []],
    ["and not decided", { cursor: { time: START + 2 * MINUTE, id: "~" } }, ["late schedule.nightly"]],
    [
      "and decided, but not stored",
      {
        cursor: { time: START + 5 * MINUTE, id: "~" },
        firing: [{ scheduleId: "nightly", slot: START + MINUTE, revision: 1, firstTerm: 1 }],
      },
      ["late schedule.nightly"],
    ],
    [
      "as a misfire that has not had its turn",
      {
        cursor: { time: START + 5 * MINUTE, id: "~" },
        backlog: [{ scheduleId: "nightly", revision: 1, after: START, until: START + 2 * MINUTE }],
      },
      ["late schedule.nightly"],
    ],
    [
      "of another schedule",
      {
        cursor: { time: START + 5 * MINUTE, id: "~" },
        firing: [{ scheduleId: "other", slot: START + MINUTE, revision: 1, firstTerm: 1 }],
      },
      [],
    ],
  ])("%s", async (_, record, found) => {
    const { clock, ports, judging, define, put } = await world();
    await define(minutely);
    await put("late", { kind: "late", after: "1m" });
    await ports.leases.write(0, lease(record), 0);
    await clock.pass(5 * MINUTE);
    expect(await (await judging())()).toEqual(found);
  });

  it("is late also while it is being fired", async () => {
    const { clock, server, ports, judging, define, fire, put } = await world();
    await define(minutely);
    await put("late", { kind: "late", after: "1m" });
    const cursor = { time: START + 5 * MINUTE, id: "~" };
    const firing = [{ scheduleId: "nightly", slot: START + MINUTE, revision: 1, firstTerm: 1 }];
    const written = await ports.leases.write(0, lease({ cursor, firing }), 0);
    const revision = written.kind === "stored" ? written.revision : 0;
    await clock.pass(5 * MINUTE);
    const look = await judging();
    const asked = new Set<string>();
    const fires: Promise<unknown>[] = [];
    const read = (what: string) => {
      if (what !== "lease" && what !== "bounds of RUNS") return false;
      // Between what is read first and what is read then.
      if (asked.add(what).size === 2 && fires.length === 0)
        fires.push(fire(1), ports.leases.write(0, lease({ cursor }), revision));
      return false;
    };
    server.faults = { read };
    expect(await look()).toEqual(["late schedule.nightly"]);
    expect(fires).toHaveLength(2);
    await Promise.all(fires);
    expect(await look()).toEqual(["late schedule.nightly"]);
  });

  it("is not late while the schedule is paused", async () => {
    const { clock, judging, define, put, ports } = await world();
    await define({ ...minutely, paused: true });
    await put("late", { kind: "late", after: "1m" });
    await ports.leases.write(0, lease({ cursor: { time: START, id: "~" } }), 0);
    await clock.pass(5 * MINUTE);
    expect(await (await judging())()).toEqual([]);
  });
});

describe("a schedule that is paused", () => {
  it("by people is expected to do nothing; by its failures it is not", async () => {
    const { clock, judging, define, put } = await world();
    await put("rare", { kind: "not-succeeded", within: "1h" });
    await define({ paused: true });
    await clock.pass(2 * 60 * MINUTE);
    expect(await (await judging())()).toEqual([]);
    await define({ paused: true, pausedBy: "failures" });
    expect(await (await judging())()).toEqual(["rare schedule.nightly"]);
  });
});

describe("queues", () => {
  it("are deep by what waits, or by the age of the oldest job", async () => {
    const { judging, put } = await world();
    await put("deep", { kind: "queue-deep", over: 2 });
    await put("deeper", { kind: "queue-deep", over: 3 });
    await put("old", { kind: "queue-deep", olderThan: "4s", queues: ["default", "other"] });
    expect(await (await judging())()).toEqual(["deep queue.default", "old queue.default"]);
  });

  it("whose letters were there before are judged by them too", async () => {
    const { clock, ports, judging, put } = await world();
    const bury = (seq: number) =>
      ports.dead.bury({
        queue: "mail",
        subject: "s",
        seq,
        headers: {},
        body: new Uint8Array(),
        reason: "r",
        attempts: 1,
      });
    await put("dying", { kind: "dead-letters", over: 1, within: "1h" });
    await bury(1);
    await clock.pass(30 * MINUTE);
    const look = await judging();
    expect(await look()).toEqual([]);
    await bury(2);
    expect(await look()).toEqual(["dying queue.mail"]);
    expect(await (await judging())()).toEqual(["dying queue.mail"]);
    await clock.pass(31 * MINUTE);
    expect(await look()).toEqual([]);
  });
});

describe("what nobody asks for", () => {
  it("is not read; what no rule looks at any more is not kept", async () => {
    const { server, ports, alerts, judging, define, end, put } = await world();
    await define();
    const read: string[] = [];
    server.faults = { read: (what) => read.push(what) < 0 };
    const look = await judging();
    read.length = 0;
    expect(await look()).toEqual([]);
    expect(read).toEqual([]);
    await put("failing", { kind: "failing" });
    await put("long", { kind: "running-long", after: "1h", schedules: { ids: ["other"] } });
    await end(1, "dead");
    await look();
    expect((await ports.alertStore.list("seen")).map(({ name }) => name)).toEqual(["schedule.nightly"]);
    await alerts.delete({ name: "failing", ifRevision: undefined });
    await look();
    expect(await ports.alertStore.list("seen")).toEqual([]);
  });

  it("is kept of no schedule that was deleted, though all are looked at", async () => {
    const { ports, judging, define, end, put } = await world();
    await define();
    await put("failing", { kind: "failing" });
    const look = await judging();
    await end(1, "dead");
    expect(await look()).toEqual(["failing schedule.nightly"]);
    expect(await ports.alertStore.list("seen")).toHaveLength(1);
    await define({ deleted: true });
    expect(await look()).toEqual([]);
    expect(await ports.alertStore.list("seen")).toEqual([]);
    await look();
    expect(await ports.alertStore.list("seen")).toEqual([]);
  });

  it("rules that somebody wrote past the API and that are none do nothing", async () => {
    const { ports, alerts, judging, put } = await world();
    await ports.alertStore.write({ kind: "rule", name: "bad" }, '{"madeAt":1,"rule":{"kind":"slow"}}', 0);
    await put("deep", { kind: "queue-deep", over: 2 });
    expect(await (await judging())()).toEqual(["deep queue.default"]);
    expect((await alerts.list()).alerts.map(({ name }) => name)).toEqual(["deep"]);
    await expect(alerts.get({ name: "bad" })).rejects.toMatchObject({ code: "invalid" });
    await put("bad", { kind: "missed" });
    await expect(alerts.get({ name: "bad" })).resolves.toMatchObject({ rule: { kind: "missed" } });
  });
});
