/**
 * The measures. In each round every system has its turn, so that what else the machine does hits all alike; a
 * throughput is the best of the rounds, a lateness the median.
 */
import type { MeasureName, Sizes } from "./options.js";
import { type Program, residentMiB } from "./program.js";
import { pause } from "./serve.js";
import type { Role, System } from "./systems.js";

/** Jobs a second, or milliseconds late. */
export interface Figure {
  system: string;
  role: Role;
  /** One for each column of its table; null: it failed. */
  values: (number | null)[];
  remark?: string | undefined;
}

export interface Table {
  measure: MeasureName;
  title: string;
  unit: "jobs/s" | "ms";
  columns: readonly string[];
  /** The column whose figures are compared. */
  compared: number;
  figures: Figure[];
}

/** A system with its two programs. */
export interface Contender {
  system: System;
  producer: Program;
  worker: Program;
}

/** So long before they are due, jobs are enqueued. */
const AHEAD_MS = 6_000;
const SPREAD_MS = 10_000;
/** A million jobs are accepted within this, or there is no figure. */
const DELAYED_WITHIN_MS = 600_000;
/** Jobs that one worker may have at once where throughput counts. */
const MANY = 1_000;

let queues = 0;
const newQueue = (name: string): string => `${name}-${++queues}`;

export async function enqueueAndDrain(contenders: readonly Contender[], sizes: Sizes): Promise<Table[]> {
  const { jobs: count, rounds } = sizes;
  const enqueued = new Rounds(contenders);
  const done = new Rounds(contenders);
  for (let round = 0; round < rounds; round++) {
    for (const contender of contenders) {
      const { producer, worker } = contender;
      const queue = newQueue("drain");
      await enqueued.take(contender, async () => {
        await producer.call("open", { queue });
        const { ms } = await producer.call("enqueue", { queue, count });
        return [perSecond(count, ms)];
      });
      await done.take(contender, async () => {
        await worker.call("open", { queue });
        await worker.call("work", { queue, count, consumers: 1, concurrency: MANY, goal: "throughput" });
        const { ms } = await worker.call("done", {});
        return [perSecond(count, ms)];
      });
    }
  }
  const columns = ["jobs/s"];
  const one = { unit: "jobs/s", columns, compared: 0 } as const;
  return [
    { measure: "enqueue", title: `enqueue, ${text(count)} jobs`, ...one, figures: enqueued.best() },
    { measure: "drain", title: `no-op jobs done, ${text(count)} waiting`, ...one, figures: done.best() },
  ];
}

/** `spreadMs` 0: all at one instant. */
async function late(
  contenders: readonly Contender[],
  { due: count, rounds: most }: Sizes,
  spreadMs: number,
): Promise<Rounds> {
  const rounds = new Rounds(contenders);
  for (let round = 0; round < most; round++) {
    for (const contender of contenders) {
      await rounds.take(contender, async () => {
        const { producer, worker } = contender;
        const queue = newQueue("due");
        await producer.call("open", { queue });
        await worker.call("work", { queue, count, consumers: 1, concurrency: MANY, goal: "prompt" });
        const dueAt = Math.ceil((Date.now() + AHEAD_MS) / 1_000) * 1_000;
        await producer.call("enqueue", { queue, count, dueAt, spreadMs });
        if (Date.now() > dueAt) throw new Error("the jobs were not enqueued in time");
        const { lateness } = await worker.call("done", {});
        return [lateness.p50, lateness.p99, lateness.max];
      });
    }
  }
  return rounds;
}

const LATE = { unit: "ms", columns: ["p50", "p99", "max"], compared: 1 } as const;

export async function atOneInstant(contenders: readonly Contender[], sizes: Sizes): Promise<Table> {
  const title = `${text(sizes.due)} jobs due at one instant: how late they start, ms`;
  return { measure: "instant", title, ...LATE, figures: (await late(contenders, sizes, 0)).median() };
}

export async function spreadOut(contenders: readonly Contender[], sizes: Sizes): Promise<Table> {
  const title = `${text(sizes.due)} jobs due within ${SPREAD_MS / 1_000} s: how late they start, ms`;
  return { measure: "spread", title, ...LATE, figures: (await late(contenders, sizes, SPREAD_MS)).median() };
}

export async function acceptDelayed(contenders: readonly Contender[], sizes: Sizes): Promise<Table> {
  const rounds = new Rounds(contenders);
  const remarks = new Map<string, string>();
  for (const contender of contenders) {
    const { system, producer } = contender;
    const count = system.role === "peer" ? sizes.delayedAtPeers : sizes.delayed;
    await rounds.take(contender, async () => {
      const queue = newQueue("delayed");
      await producer.call("open", { queue });
      const dueAt = Date.now() + 86_400_000;
      const jobs = { queue, count, dueAt, spreadMs: 86_400_000 };
      const { ms } = await producer.call("enqueue", jobs, DELAYED_WITHIN_MS);
      await pause(1_000);
      const memory = Object.entries(system.holders()).map(([name, pid]) => `${name} ${residentMiB(pid)} MiB`);
      remarks.set(system.name, [`${text(count)} jobs`, ...memory].join(", "));
      return [perSecond(count, ms)];
    });
  }
  const figures = rounds.best().map((figure) => ({ ...figure, remark: remarks.get(figure.system) }));
  const title = "jobs due in one to two days, accepted";
  return { measure: "delayed", title, unit: "jobs/s", columns: ["jobs/s"], compared: 0, figures };
}

export async function manyConsumers(contenders: readonly Contender[], sizes: Sizes): Promise<Table> {
  const { consumers: steps, consumed: count } = sizes;
  const perStep = steps.map(() => new Rounds(contenders));
  for (const [i, consumers] of steps.entries()) {
    for (const contender of contenders) {
      await perStep[i]?.take(contender, async () => {
        const { producer, worker } = contender;
        const queue = newQueue("consumers");
        await producer.call("open", { queue });
        await worker.call("open", { queue });
        // At work before there is any: to start a thousand takes longer than to do the jobs.
        await worker.call("work", { queue, count, consumers, concurrency: 1, goal: "throughput" });
        await producer.call("enqueue", { queue, count });
        const { ms } = await worker.call("done", {});
        return [perSecond(count, ms)];
      });
    }
  }
  const best = perStep.map((step) => step.best());
  const figures = contenders.map(({ system: { name, role } }, c) => ({
    system: name,
    role,
    values: best.map((step) => step[c]?.values[0] ?? null),
  }));
  const title = `${text(count)} no-op jobs of one queue done by so many consumers, one at a time each, while they are enqueued: jobs/s`;
  const columns = steps.map((step) => text(step));
  return { measure: "consumers", title, unit: "jobs/s", columns, compared: columns.length - 1, figures };
}

/** What the rounds gave, system by system. */
class Rounds {
  readonly #taken = new Map<Contender, number[][]>();

  constructor(contenders: readonly Contender[]) {
    for (const contender of contenders) this.#taken.set(contender, []);
  }

  /** A system that fails costs only its own figure. */
  async take(contender: Contender, measure: () => Promise<number[]>): Promise<void> {
    try {
      this.#taken.get(contender)?.push(await measure());
    } catch (error) {
      console.error(`${contender.system.name}: ${(error as Error).message}`);
    }
  }

  best(): Figure[] {
    return this.#figures((values) => Math.max(...values));
  }

  median(): Figure[] {
    return this.#figures((values) => [...values].sort((a, b) => a - b)[values.length >> 1] as number);
  }

  #figures(choose: (values: readonly number[]) => number): Figure[] {
    return [...this.#taken].map(([{ system }, rounds]) => ({
      system: system.name,
      role: system.role,
      values: rounds[0]?.map((_, i) => choose(rounds.map((round) => round[i] as number))) ?? [null],
    }));
  }
}

const perSecond = (count: number, ms: number): number => Math.round(count / (ms / 1_000));
const text = (n: number): string => n.toLocaleString("en-US");
