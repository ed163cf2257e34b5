/** What can happen in a simulation, as data; and the telling of it. */
import fc from "fast-check";
import type { Schedule } from "../../../src/core/schedule.js";
import { DEFAULT_START, type Fault } from "../../../src/testing/index.js";
import { Holder, type Turn } from "./holder.js";
import { type Rule, World } from "./world.js";

export type Step =
  | { does: "act"; holder: number; turns: Turn[] }
  | { does: "learn"; holder: number; count: number }
  | { does: "crash"; holder: number }
  | { does: "define"; id: string; change: Partial<Schedule>; offsetMs: number }
  | { does: "pass"; ms: number }
  /** Somebody sets the clock of the machines. */
  | { does: "set the clock"; ms: number }
  | { does: "work"; choice: number; fault: Fault }
  | { does: "restart" }
  | { does: "arrive late"; count: number };

const HOLDERS = 3;
const OFFSETS_MS = [0, -2_500, 1_500];

const fault: fc.Arbitrary<Fault> = fc.oneof(
  { weight: 12, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.constantFrom("lost before", "answer lost", "late") },
);
const turn = fc.record({ choice: fc.nat(8), fault });
const holder = fc.nat(HOLDERS - 1);

const spec: fc.Arbitrary<Schedule["spec"]> = fc.oneof(
  fc
    .record({ everyMs: fc.integer({ min: 700, max: 6_000 }), share: fc.nat(99) })
    .map(({ everyMs, share }) => ({
      kind: "every" as const,
      everyMs,
      phaseMs: Math.floor((everyMs * share) / 100),
    })),
  fc.integer({ min: 0, max: 20_000 }).map((ms) => ({ kind: "at" as const, at: DEFAULT_START + ms })),
);
const change = fc.record({
  spec,
  overlap: fc.constantFrom("skip", "allow"),
  misfire: fc.constantFrom("skip", "once", "all"),
  catchUpRate: fc.constantFrom(5, 1_000),
  maxRuns: fc.constantFrom(0, 0, 0, 1, 4),
  catchUpWindowMs: fc.constantFrom(5_000, 75_000, 86_400_000),
  paused: fc.boolean(),
  deleted: fc.oneof(
    { weight: 4, arbitrary: fc.constant(false) },
    { weight: 1, arbitrary: fc.constant(true) },
  ),
});
/** Some ids are defined once and never change: for them the user's words must hold. */
const creation = change.map((made) => ({ ...made, paused: false, deleted: false }));

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      does: fc.constant("act" as const),
      holder,
      turns: fc.array(turn, { minLength: 1, maxLength: 14 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constant("learn" as const),
      holder,
      count: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("crash" as const), holder }) },
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constant("define" as const),
      id: fc.constantFrom("a", "b", "b-1", "c"),
      change: fc.oneof(change, creation),
      offsetMs: fc.constantFrom(0, 0, -800, 800),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      does: fc.constant("pass" as const),
      ms: fc.constantFrom(40, 300, 1_000, 2_500, 70_000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      does: fc.constant("set the clock" as const),
      ms: fc.constantFrom(-20_000, -1_000, 1_000, 20_000),
    }),
  },
  { weight: 5, arbitrary: fc.record({ does: fc.constant("work" as const), choice: fc.nat(20), fault }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("restart" as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      does: fc.constant("arrive late" as const),
      count: fc.integer({ min: 1, max: 3 }),
    }),
  },
);

export const steps = fc.array(step, { minLength: 20, maxLength: 120 });

/** Tells the story to its end, where nothing is in flight any more, and returns what is wrong with it. */
export function problemsOf(all: readonly Step[], without?: Rule): readonly string[] {
  const world = new World(without);
  const holders = OFFSETS_MS.map((offsetMs, index) => new Holder(world, `o${index}`, offsetMs));
  for (const one of all) perform(world, holders, one);
  drain(world);
  return world.ledger.problems;
}

function perform(world: World, holders: Holder[], step: Step): void {
  switch (step.does) {
    case "act":
      for (const each of step.turns) holders[step.holder]?.step(each);
      break;
    case "learn":
      holders[step.holder]?.learn(step.count);
      break;
    case "crash":
      holders[step.holder] = new Holder(world, `${world.nonce()}`, OFFSETS_MS[step.holder] ?? 0);
      break;
    case "define":
      world.define(step.id, step.change, step.offsetMs);
      break;
    case "pass":
      world.clock.advance(step.ms);
      break;
    case "set the clock":
      world.clock.jump(step.ms);
      break;
    case "work":
      world.work(step.choice, step.fault);
      break;
    case "restart":
      world.server.forget();
      break;
    case "arrive late":
      world.server.deliverLate(step.count);
  }
}

const MANY = 20_000;

/** One orchestrator goes on alone and without trouble until everything is done; then the last stragglers arrive. */
function drain(world: World): void {
  const last = new Holder(world, "last", 5_000);
  last.learn(world.definitions.length);
  for (let i = 0; !last.isIdle; i++) {
    if (i === MANY) throw new Error("it never comes to an end");
    last.step({ choice: 1, fault: undefined }); // publishes when there is something to publish, else commits
    world.work(i, undefined);
    if (last.isCatchingUp) world.clock.advance(500);
  }
  world.server.deliverLate();
  world.ledger.close();
  world.ledger.closeDefinitions(world.definitions, world.clock.now());
}
