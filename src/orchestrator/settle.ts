/**
 * Reading what became of a publish, and settling what an earlier term left behind.
 *
 * The order is the protocol (design, section 4; model `fire.pml`): first make sure that no older term can still
 * fire the run, then look for traces of it, and only then publish it again. The naive reading, that any
 * "duplicate" means fired, loses slots: the duplicate may be of a tombstone.
 */
import type { Firing } from "../core/lease.js";
import type { Occupant, RunLog, StoredMessage, WorkStream } from "../core/ports.js";
import { headers as h } from "../protocol/headers.js";
import { msgIdOf } from "../protocol/job-message.js";
import { type Names, runIdOf } from "../protocol/names.js";
import { runIdOfMessage } from "../protocol/run-id.js";
import { parseJobSubject } from "../protocol/subjects.js";
import { Doubt } from "./doubt.js";

export interface SettlePorts {
  work: WorkStream;
  runs: RunLog;
  names: Names;
  /** Waits while the stream is full. */
  pause(): Promise<void>;
}

const NO_BODY = new Uint8Array();

/**
 * The sequence of the message under which an older term fired the run; null when the server remembers none. Then no
 * older term can fire it any more.
 */
export async function firedBefore(ports: SettlePorts, firing: Firing, term: number): Promise<number | null> {
  const runId = runIdOf(firing.scheduleId, firing.slot);
  for (let older = firing.firstTerm; older < term; older++) {
    const seq = await firedIn(ports, runId, older);
    if (seq !== null) return seq;
  }
  return null;
}

/** Takes the message id that this term would have used, and so learns whether it did. */
async function firedIn(ports: SettlePorts, runId: string, term: number): Promise<number | null> {
  const { work, names } = ports;
  const tombstone = {
    subject: names.tombstone(runId, term),
    msgId: msgIdOf(runId, term),
    headers: {},
    body: NO_BODY,
  };
  for (;;) {
    await work.ready();
    const outcome = await work.publish(tombstone);
    switch (outcome.kind) {
      case "stored":
      case "taken": // an earlier successor's tombstone stands
        return null;
      case "duplicate":
        return isTombstone(await work.at(outcome.seq), tombstone.subject) ? null : outcome.seq;
      case "full":
        await ports.pause();
        break;
      case "refused":
        throw new Doubt(`a tombstone was refused: ${outcome.reason}`);
      case "unknown":
        throw new Doubt(`a tombstone was not answered: ${outcome.error.message}`);
    }
  }
}

/** Tombstones outlive the dedup window, so a duplicate of one finds it where it was stored. */
function isTombstone(message: StoredMessage | null, subject: string): boolean {
  return message !== null && message.subject === subject;
}

/** What a refused publish means; `seq`: of the run's own message, where it is known. */
export type TakenBy =
  | { kind: "this run"; seq: number | null }
  | { kind: "another run"; occupant: Occupant }
  | { kind: "nobody" };

/** Reads a "subject taken" instead of guessing: the run may have been stored, and even done, by an older term. */
export async function readTaken(ports: SettlePorts, firing: Firing, subject: string): Promise<TakenBy> {
  const runId = runIdOf(firing.scheduleId, firing.slot);
  const message = await ports.work.lastOn(subject);
  if (message !== null && message.headers[h.runId] === runId) return { kind: "this run", seq: message.seq };
  if (await ports.runs.hasAny(runId)) return { kind: "this run", seq: null };
  return message === null ? { kind: "nobody" } : { kind: "another run", occupant: occupantOf(message) };
}

function occupantOf(message: StoredMessage): Occupant {
  const { subject, seq } = message;
  return { runId: runIdOfMessage(message), seq, queue: parseJobSubject(subject)?.queue ?? "" };
}
