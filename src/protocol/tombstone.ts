/** What a tombstone in WORK says of the job that it keeps from being queued; see `gateTombstone` and `timerTombstone`. */

/** Where a job waits, or did. */
export interface BuriedJob {
  runId: string;
  at: "gate" | "timers";
  seq: number;
}

/** By the subject of the tombstone; null: it is of a fire. */
export function parseTombstone(subject: string): BuriedJob | null {
  const [, , queue, runId = "", place = ""] = subject.split(".");
  const [, kind, seq] = /^([gt])(\d+)$/.exec(place) ?? [];
  if (queue !== "_void" || kind === undefined) return null;
  return { runId, at: kind === "g" ? "gate" : "timers", seq: Number(seq) };
}
