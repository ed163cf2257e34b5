/** Answers the benchmark's calls in the program of one job system. */
import type { Arm, Calls, Job, Lateness, Outcome } from "./arm.js";

const LOOK_MS = 5;

export function serve(arm: Arm): void {
  const calls = callsOf(arm);
  process.on("message", async (message: { id: number; call: keyof Calls | "close"; args: never }) => {
    const { id, call, args } = message;
    try {
      if (call === "close") await arm.close();
      else process.send?.({ id, result: await calls[call](args) });
    } catch (error) {
      process.send?.({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
    if (call === "close") process.exit(0);
  });
  process.on("disconnect", () => process.exit(1));
  process.send?.({ id: 0 });
}

function callsOf(arm: Arm): Calls {
  let counted: Counted | undefined;
  return {
    open: ({ queue }) => arm.open(queue),
    enqueue: async ({ queue, count, dueAt, spreadMs = 0 }) => {
      const began = performance.now();
      await arm.enqueue(queue, jobs(count, dueAt, spreadMs));
      return { ms: performance.now() - began };
    },
    work: async ({ queue, count, ...work }) => {
      const own = new Counted(count);
      counted = own;
      const stop = await arm.work(queue, { ...work, onJob: (job) => own.onJob(job) });
      own.over = async () => {
        while ((await arm.pending(queue)) > 0) await pause(LOOK_MS);
        const outcome = own.outcome();
        await stop();
        return outcome;
      };
    },
    done: async () => {
      await counted?.allBegun;
      return (await counted?.over()) as Outcome;
    },
  };
}

/** 128 bytes or so, each job its own. */
function* jobs(count: number, dueAt: number | undefined, spreadMs: number): Generator<Job> {
  const subject = "Your invoice of this month is ready to be read and paid".padEnd(72, ".");
  for (let i = 0; i < count; i++) {
    const job: Job = { to: `user-${i}@example.com`, subject };
    if (dueAt !== undefined) job.dueAt = Math.round(dueAt + (spreadMs * i) / count);
    yield job;
  }
}

/** The jobs that a worker got. */
class Counted {
  readonly allBegun: Promise<void>;
  over: () => Promise<Outcome | undefined> = async () => undefined;
  readonly #lateness: number[] = [];
  readonly #count: number;
  #begun = 0;
  #beganAt = 0;
  #onAll = () => {};

  constructor(count: number) {
    this.#count = count;
    this.allBegun = new Promise((resolve) => {
      this.#onAll = resolve;
    });
  }

  onJob({ dueAt }: Job): void {
    if (this.#begun++ === 0) this.#beganAt = performance.now();
    if (dueAt !== undefined) this.#lateness.push(performance.timeOrigin + performance.now() - dueAt);
    if (this.#begun === this.#count) this.#onAll();
  }

  /** @throws Error when a job was begun twice */
  outcome(): Outcome {
    if (this.#begun !== this.#count) throw new Error(`${this.#begun} jobs begun, ${this.#count} enqueued`);
    return { ms: performance.now() - this.#beganAt, lateness: latenessOf(this.#lateness) };
  }
}

function latenessOf(values: number[]): Lateness {
  values.sort((a, b) => a - b);
  const at = (share: number) => values[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Items in lists of at most `size`. */
export function* chunks<T>(items: Iterable<T>, size: number): Generator<T[]> {
  let chunk: T[] = [];
  for (const item of items) {
    chunk.push(item);
    if (chunk.length < size) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

/** Works off the lists, `lanes` at a time. */
export async function inLanes<T>(
  lists: Iterator<T[]>,
  lanes: number,
  send: (list: T[]) => Promise<unknown>,
): Promise<void> {
  const lane = async () => {
    for (let next = lists.next(); next.done !== true; next = lists.next()) await send(next.value);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
