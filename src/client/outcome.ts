import type { Enqueued } from "../protocol/enqueue-input.js";

/** What became of one job of many; `error` keeps the others going. */
export type EnqueueOutcome =
  | ({ kind: "enqueued"; index: number } & Enqueued)
  | { kind: "failed"; index: number; error: unknown };
