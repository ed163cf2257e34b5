/**
 * What the benchmark asks of a job system.
 *
 * Each system is a program of its own, so that none of them slows another down, and so that this repository needs none
 * of the peers' packages. The benchmark starts each program twice, as producer and as worker, and calls it by messages
 * between the processes (`program.ts`, `serve.ts`).
 */

/** A job that does nothing. */
export type Job = {
  to: string;
  subject: string;
  /** When it has to start; absent: at once. Milliseconds since 1970. */
  dueAt?: number;
};

export interface Work {
  /** So many workers, each on its own: no two share what they were given. */
  consumers: number;
  /** Jobs that one of them may have at once. */
  concurrency: number;
  /** `throughput`: there is a backlog; `prompt`: jobs come one by one and must start soon. */
  goal: "throughput" | "prompt";
  onJob(job: Job): void;
}

export interface Arm {
  /** Makes the queue. */
  open(queue: string): Promise<void>;
  /** Resolves when all are stored, as durably as the system stores anything. */
  enqueue(queue: string, jobs: Iterable<Job>): Promise<void>;
  /** Resolves when the workers are at work; what it gives stops them. */
  work(queue: string, work: Work): Promise<() => Promise<void>>;
  /** Jobs that are not over yet. */
  pending(queue: string): Promise<number>;
  close(): Promise<void>;
}

/** In the order in which a run goes through them. */
export interface Calls {
  open(args: { queue: string }): Promise<void>;
  /** How long it took until all were stored. `spreadMs`: the due times lie evenly in so much time after `dueAt`. */
  enqueue(args: { queue: string; count: number; dueAt?: number; spreadMs?: number }): Promise<{ ms: number }>;
  /** Resolves when the workers are at work. */
  work(args: { queue: string; count: number } & Omit<Work, "onJob">): Promise<void>;
  /** When the system itself says that all are over; then the workers stop. */
  done(args: Record<string, never>): Promise<Outcome>;
}

export interface Outcome {
  /** From the first job's start until all were over. */
  ms: number;
  /** How late they started; of jobs with a due time. */
  lateness: Lateness;
}

/** Milliseconds. */
export interface Lateness {
  p50: number;
  p99: number;
  max: number;
}
