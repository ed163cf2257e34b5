import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { GateLimits } from "../../src/core/gate.js";
import { concurrencyOf } from "../../src/core/gate-line.js";
import { headers as h } from "../../src/protocol/headers.js";
import { parseGateSubject } from "../../src/protocol/subjects.js";
import type { Fault } from "../../src/testing/index.js";
import { Yard } from "./yard.js";

const limits: fc.Arbitrary<GateLimits> = fc.constantFrom(
  { paused: false, perKey: { order: true } },
  { paused: false, perKey: { concurrency: 1, order: false } },
  { paused: false, perKey: { concurrency: 2, order: false } },
  { paused: false, rate: { limit: 50, periodMs: 1_000, burst: 3 }, perKey: { order: true } },
);
const key = fc.constantFrom("a", "b", "c");
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("arrive" as const),
      keys: fc.array(key, { minLength: 1, maxLength: 8 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant("pass" as const), ms: fc.integer({ min: 1, max: 3_000 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("crash" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("second" as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("server" as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("kill" as const) }) },
);
const publishFaults = fc.infiniteStream(
  fc.oneof(
    { weight: 6, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constantFrom<Fault>("lost before", "answer lost", "late") },
  ),
);
const readFaults = fc.infiniteStream(
  fc.oneof({ weight: 15, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
);
const work = fc.infiniteStream(
  fc.record({ runMs: fc.integer({ min: 0, max: 800 }), isPutBack: fc.boolean() }),
);

/** A server that restarts ends all connections and forgets ids, and one that is killed who has left the gate; that late messages come even so is not promised. */
const servers = fc.constantFrom("restarts", "is late");

const isAtGate = (subject: string): boolean => parseGateSubject(subject) !== null;

describe("whatever crashes, is lost, comes late or is forgotten", () => {
  it("every job passes once, in order and within the limits of its key", async () => {
    const property = fc.asyncProperty(
      limits,
      fc.array(step, { maxLength: 14 }),
      publishFaults,
      readFaults,
      work,
      servers,
      async (limits, steps, publishes, reads, works, server) => {
        const yard = new Yard();
        const first: string[] = [];
        const running = new Map<string, number>();
        let most = 0;
        await yard.work(async (id, attempt) => {
          const key = id.slice(0, 1);
          if (attempt === 1) first.push(id);
          running.set(key, (running.get(key) ?? 0) + 1);
          most = Math.max(most, running.get(key) ?? 0);
          const { runMs, isPutBack } = works.next().value;
          await yard.sleep(runMs);
          running.set(key, (running.get(key) ?? 0) - 1);
          return isPutBack && attempt < 3 ? 50 : undefined;
        });
        const faultOf = (): Fault => {
          const fault = publishes.next().value;
          return fault === "late" && server === "restarts" ? "answer lost" : fault;
        };
        yard.server.faults = {
          publish: ({ subject }) => (subject.includes(".work.") ? faultOf() : undefined),
          read: (what) => what !== "ensure queue" && reads.next().value,
        };
        let keepers = [yard.keep(limits)];
        const replaceAll = () => {
          for (const keeper of keepers) {
            keeper.ports.link.cut();
            keeper.isOurs = false;
          }
          keepers = [yard.keep(limits)];
        };
        const arrived: string[] = [];
        for (const step of steps) {
          if (step.kind === "arrive")
            for (const key of step.keys) {
              arrived.push(`${key}-${arrived.length}`);
              await yard.arrive(arrived.at(-1) as string, key, { [h.key]: key });
            }
          else if (step.kind === "pass") await yard.clock.pass(step.ms);
          else if (step.kind === "crash") replaceAll();
          else if (step.kind === "second") keepers.push(yard.keep(limits));
          else if (server === "restarts") {
            if (step.kind === "kill") yard.server.work.forgetRemovals(isAtGate);
            yard.server.forget();
            replaceAll();
          } else yard.server.deliverLate();
        }
        yard.server.faults = {};
        yard.server.deliverLate();
        for (let i = 0; i < 60 && yard.subjects.length > 0; i++) await yard.clock.pass(2_000);
        expect(yard.subjects).toEqual([]);
        expect(first.toSorted()).toEqual(arrived.toSorted());
        expect(most).toBeLessThanOrEqual(concurrencyOf(limits.perKey ?? { order: true }) ?? 0);
        for (const key of limits.perKey?.order ? ["a", "b", "c"] : []) {
          const of = (ids: string[]) => ids.filter((id) => id.startsWith(key));
          expect(of(yard.done)).toEqual(of(arrived));
        }
        await yard.close();
      },
    );
    await fc.assert(property, { numRuns: Number(process.env.GATE_RUNS ?? 60) });
  });
});
