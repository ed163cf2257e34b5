import type { DeadLetter, DeadLetters, RunLog } from "../core/ports.js";

export interface RefusalPorts {
  dead: DeadLetters;
  runs: RunLog;
}

/**
 * Keeps a job that cannot be queued as a dead letter, and tells its history. The same again is not an error.
 *
 * @param occasion tells ends of the same run apart; default: the letter's sequence
 */
export async function buryRefused(
  { dead, runs }: RefusalPorts,
  letter: Pick<DeadLetter, "queue" | "subject" | "seq" | "headers" | "body">,
  runId: string,
  error: string,
  occasion = String(letter.seq),
): Promise<void> {
  const reason = "refused";
  await dead.bury({ ...letter, reason, attempts: 0, error });
  const data = { queue: letter.queue, attempt: 0, reason, error: { message: error } };
  await runs.append({ runId, type: "dead", msgId: `${runId}/dead/${occasion}`, data });
}
