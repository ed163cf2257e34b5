/**
 * Dead letters are retried by two orchestrators, again and again, while publishes, events, reads and removals get lost or
 * are done without an answer, workers finish jobs, and the server forgets message ids, or when it is killed what was removed. Whatever happens, each letter's
 * job is queued once, and no letter goes before it is.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { PunctualError } from "../../src/core/errors.js";
import type { StoredMessage } from "../../src/core/ports.js";
import type { QueueRequest } from "../../src/core/queue.js";
import { Passages } from "../../src/orchestrator/passage.js";
import { Requeuer } from "../../src/orchestrator/requeuer.js";
import { headers as h } from "../../src/protocol/headers.js";
import { parseGateSubject } from "../../src/protocol/subjects.js";
import { Admission } from "../../src/runtime/admission.js";
import { silentLogger } from "../../src/runtime/log.js";
import { type Faults, ManualClock, MemoryServer, openMemoryPorts } from "../../src/testing/index.js";
import { START } from "../contract/given.js";

const LETTERS = 5;
type Fault = ReturnType<NonNullable<Faults["publish"]>>;
type Step =
  | { kind: "retry"; who: number; id: number }
  | { kind: "fault"; of: "publish" | "runEvent"; what: Fault }
  | { kind: "unread"; skip: number }
  | { kind: "pass"; ms: number }
  | { kind: "forget" }
  | { kind: "kill" }
  | { kind: "gate" }
  | { kind: "work"; tells: boolean };

const id = fc.integer({ min: 1, max: LETTERS });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("retry" as const), who: fc.nat(1), id }) },
  fc.record({
    kind: fc.constant("fault" as const),
    of: fc.constantFrom("publish" as const, "runEvent" as const),
    what: fc.constantFrom<Fault>("lost before", "answer lost"),
  }),
  fc.record({ kind: fc.constant("unread" as const), skip: fc.nat(4) }),
  fc.record({ kind: fc.constant("pass" as const), ms: fc.constantFrom(1, 1_000, 200_000) }),
  fc.constant({ kind: "forget" as const }),
  fc.constant({ kind: "kill" as const }),
  fc.constant({ kind: "gate" as const }),
  fc.record({ kind: fc.constant("work" as const), tells: fc.boolean() }),
);

async function world(
  places: (n: number) => { subject: string; headers: Record<string, string> },
  settings: QueueRequest = {},
) {
  const clock = new ManualClock(START);
  const server = new MemoryServer({ clock, shards: 1 });
  const stored: string[] = [];
  /** Run ids of all that came anywhere, a gate too. */
  const came = new Set<string>();
  const note = ({ subject, headers }: Pick<StoredMessage, "subject" | "headers">) => {
    came.add(headers[h.runId] ?? "");
    if (parseGateSubject(subject) === null) stored.push(headers[h.runId] ?? "");
  };
  server.work.onStored(note);
  server.intake.onStored(note);
  const open = () => {
    const { link: _, ...ports } = openMemoryPorts(server);
    const admission = new Admission({ ...ports, clock });
    return { ports, requeuer: new Requeuer({ ...ports, admission }) };
  };
  const [one, two] = [open(), open()];
  await one.ports.queues.ensure("q", settings);
  for (let n = 1; n <= LETTERS; n++)
    await one.ports.dead.bury({
      ...{ queue: "q", seq: n, body: new Uint8Array(), reason: "r", attempts: 1 },
      ...places(n),
    });
  return { clock, server, stored, came, one, two };
}

type World = Awaited<ReturnType<typeof world>>;

/** What goes wrong goes wrong once. */
async function act({ clock, server, one, two }: World, taken: Step): Promise<void> {
  const { faults } = server;
  if (taken.kind === "retry") {
    const { requeuer } = taken.who === 0 ? one : two;
    await requeuer.requeue(taken.id).catch((error) => expect(error).toBeInstanceOf(PunctualError));
    for (const fault of ["publish", "runEvent", "read"] as const) delete faults[fault];
  } else if (taken.kind === "fault") {
    const once = () => {
      delete faults[taken.of];
      return taken.what;
    };
    // All tries of a publish, or the first.
    faults[taken.of] = taken.of === "publish" && taken.what === "answer lost" ? () => taken.what : once;
  } else if (taken.kind === "unread") {
    let left = taken.skip;
    faults.read = () => left-- === 0;
  } else if (taken.kind === "pass") await clock.pass(taken.ms);
  else if (taken.kind === "forget") server.forget();
  else if (taken.kind === "kill") {
    server.dead.forgetRemovals();
    server.work.forgetRemovals((subject) => parseGateSubject(subject) !== null);
    server.forget();
  } else if (taken.kind === "gate") {
    server.faults = {};
    await letPass(one.ports, clock);
  } else await finish(server, one.ports, taken.tells);
}

/** Whoever may pass the gate does. */
async function letPass(ports: World["one"]["ports"], clock: ManualClock): Promise<void> {
  const passages = new Passages({ ...ports, clock, log: silentLogger }, () => true);
  const busy = new Set<string>();
  for (const { seq, key } of await ports.gates.waiting("q", { after: 0, limit: 100 })) {
    const tickets = key === null ? [null] : [1, 2];
    const ticket = tickets.find((one) => !busy.has(`${key}~${one}`));
    if (ticket === undefined) continue;
    const one = { seq, key, ticket, isInherited: true };
    const passed = await passages.pass(one, { come: Promise.resolve(), over: () => {} });
    if (passed.kind === "landed") await passages.leave(seq);
    if (passed.kind !== "gone") busy.add(`${key}~${ticket}`);
  }
}

async function finish(server: MemoryServer, { runs }: World["one"]["ports"], tells: boolean): Promise<void> {
  for (const stream of [server.work, server.intake])
    for (const { seq, headers, subject } of [...stream.messages()]) {
      if (parseGateSubject(subject) !== null) continue;
      const runId = headers[h.runId] as string;
      if (tells)
        await runs.append({ runId, type: "succeeded", msgId: `${runId}/${seq}`, data: {} }).catch(() => {});
      stream.remove(seq);
    }
}

async function check(made: World, steps: readonly Step[]): Promise<void> {
  for (const taken of steps) {
    await act(made, taken);
    const gone = LETTERS - made.server.dead.size;
    expect(made.came.size).toBeGreaterThanOrEqual(gone);
  }
  made.server.faults = {};
  for (let n = 1; n <= LETTERS; n++) await made.one.requeuer.requeue(n).catch(() => {});
  expect(made.server.dead.size).toBe(0);
  for (let n = 0; n < LETTERS; n++) {
    await letPass(made.one.ports, made.clock);
    await finish(made.server, made.one.ports, false);
  }
  expect([...made.server.work.messages()]).toEqual([]);
  expect(made.stored).toHaveLength(LETTERS);
  expect(new Set(made.stored).size).toBe(LETTERS);
}

test("each letter's job is queued once, whatever is lost and whoever asks", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const place = (n: number) => ({ subject: `punctual.work.q.j${n}`, headers: { [h.runId]: `j${n}` } });
      await check(await world(place), steps);
    }),
    { numRuns: 500 },
  );
});

test("each letter's job passes the gate of its queue once, whatever is lost and whoever asks", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const place = (n: number) => {
        const headers = { [h.runId]: `j${n}` };
        if (n % 2 === 0) return { subject: `punctual.work.q.j${n}`, headers };
        return { subject: "punctual.work.q.k~1", headers: { ...headers, [h.key]: "k" } };
      };
      const rate = { limit: 1, periodMs: 1_000, burst: 1 };
      await check(await world(place, { rate, perKey: { concurrency: 2, order: false } }), steps);
    }),
    { numRuns: 500 },
  );
});

test("a message that lies in two letters is queued once", async () => {
  const made = await world((n) => ({ subject: "punctual.work.q.j", headers: { [h.runId]: "j" }, seq: n }));
  const { one, server, clock, stored } = made;
  await clock.pass(200_000);
  await one.ports.dead.bury({
    ...{ queue: "q", seq: 1, body: new Uint8Array(), reason: "r", attempts: 1 },
    ...{ subject: "punctual.work.q.j", headers: { [h.runId]: "j" } },
  });
  await one.requeuer.requeue(1);
  await finish(server, one.ports, true);
  await clock.pass(200_000);
  expect(await one.requeuer.requeue(LETTERS + 1)).toEqual({ runId: "j:retry-1", to: "queue" });
  expect(stored).toEqual(["j:retry-1"]);
});
