/**
 * Retrying a dead letter: its job goes back to where it lay, under a run id of its own, and the letter goes away.
 *
 *   published before? ──► publish ──► `requeued` in RUNS ──► remove the letter
 *
 * A crash may cut this anywhere, and then somebody asks again. Nothing is lost, as the letter goes last. Nothing runs
 * twice, as the retry's run id and message id follow from the letter: while the server remembers the id it answers
 * `duplicate`; while the job is queued or running its subject is taken, by the very run; and when it is over, RUNS has
 * events of the run, or the server's own record that its job was stored.
 */
import type { ChainStore } from "../core/chain-store.js";
import type { DeadLetterStore, QueuedJobs } from "../core/dead-letter-store.js";
import { PunctualError } from "../core/errors.js";
import type { Letter, RetryPlace } from "../core/letters.js";
import type { RunHistory } from "../core/lookback.js";
import type { PublishOutcome, RunLog, StoredMessage, WorkMessage, WorkStream } from "../core/ports.js";
import { followingOf } from "../protocol/chain-message.js";
import {
  isOfFrontDoor,
  readLetter,
  retryMessage,
  retryRunId,
  toldSubjects,
} from "../protocol/dead-letter.js";
import { readJob } from "../protocol/job-message.js";
import type { Names } from "../protocol/names.js";
import { fallbackRunId } from "../protocol/run-id.js";
import { ChainDoor } from "../runtime/chain-door.js";

export interface RequeuerPorts {
  names: Names;
  letters: DeadLetterStore;
  queuedJobs: QueuedJobs;
  history: RunHistory;
  runs: RunLog;
  work: WorkStream;
  chains: ChainStore;
  shards: number;
}

/** The run that retries a letter, and where its job lies now. */
export interface Requeued {
  runId: string;
  to: RetryPlace;
}

const TRIES = 5;

export class Requeuer {
  readonly #ports: RequeuerPorts;
  readonly #chains: ChainDoor;

  constructor(ports: RequeuerPorts) {
    this.#ports = ports;
    this.#chains = new ChainDoor(ports.chains);
  }

  /**
   * Resolves with the run that retries it.
   *
   * @throws not_found, conflict (the letter stays: its subject is taken, or its body was cut), full, denied, timeout
   */
  async requeue(id: number, author?: string): Promise<Requeued> {
    const { letters, names, runs } = this.#ports;
    const message = await letters.at(id);
    if (message === null) throw notFound(id);
    const letter = readLetter({ ...message, bodyBytes: message.body.length });
    checkWhole(letter, names);
    const runId = retryRunId(letter, names);
    if (!(await this.#isTraced(letter, runId)))
      await this.#letIn(letter, retryMessage(letter, message.body, names), runId);
    const data = {
      retryOf: letter.runId,
      letter: id,
      queue: letter.queue,
      ...(author !== undefined && { author }),
    };
    await runs.append({ runId, type: "requeued", msgId: `${runId}/requeued`, data });
    await letters.remove(id);
    return { runId, to: isOfFrontDoor(letter, names) ? "front door" : "queue" };
  }

  /** Events of an older run with this id do not count: sequences begin anew when a stream is made anew. */
  async #isTraced(letter: Letter, runId: string): Promise<boolean> {
    const { history, queuedJobs, names } = this.#ports;
    const last = await history.lastEvent(runId);
    if (last !== null && last.at >= letter.diedAt) return true;
    const told = await Promise.all(
      toldSubjects(letter, names).map((subject) => queuedJobs.has(subject, runId, letter.diedAt)),
    );
    return told.includes(true);
  }

  /** What followed upon the run that died may follow upon its retry; the front door sees to that by itself. */
  async #letIn(letter: Letter, message: WorkMessage, runId: string): Promise<void> {
    const { names } = this.#ports;
    const following = isOfFrontDoor(letter, names) ? undefined : followingOf(runId, message, this.#ports);
    const publish = () => this.#publish(letter, message).then(() => ({ accepted: true }));
    if (following === undefined) await publish();
    else if (!(await this.#chains.through(following, publish)).accepted)
      throw new PunctualError("conflict", `letter ${letter.id} stays: run ${runId} is under way`);
  }

  async #publish(letter: Letter, message: WorkMessage): Promise<void> {
    const { work } = this.#ports;
    let outcome: PublishOutcome | undefined;
    for (let tries = 0; tries < TRIES; tries++) {
      await work.ready();
      outcome = await work.publish(message);
      if (outcome.kind !== "unknown") break;
    }
    switch (outcome?.kind) {
      case "stored":
      case "duplicate":
        return;
      case "taken":
        return this.#readTaken(letter, message);
      case "full":
        throw new PunctualError("full", `letter ${letter.id} stays: the queue is full (${outcome.reason})`);
      case "refused":
        throw new PunctualError("denied", `letter ${letter.id} stays: it was refused (${outcome.reason})`);
      default:
        throw new PunctualError("timeout", `letter ${letter.id}: no answer from the server; try again`, {
          cause: outcome?.error,
        });
    }
  }

  async #readTaken(letter: Letter, { subject, headers }: WorkMessage): Promise<void> {
    const occupant = await this.#ports.work.lastOn(subject);
    const own = readJob(headers, () => "").runId;
    if (occupant !== null && runIdOf(occupant) === own) return;
    throw new PunctualError("conflict", `letter ${letter.id} stays: ${whyTaken(letter, occupant)}`);
  }
}

function runIdOf({ subject, seq, headers }: StoredMessage): string {
  return readJob(headers, () => fallbackRunId(subject, seq)).runId;
}

function whyTaken({ seq, subject, runId }: Letter, occupant: StoredMessage | null): string {
  if (occupant === null) return `another run on ${subject} is just over; try again`;
  if (occupant.seq === seq && runIdOf(occupant) === runId)
    return "it is still being moved to the dead letters; try again in a minute";
  return `run ${runIdOf(occupant)} is queued or running on its subject ${subject}`;
}

function checkWhole(letter: Letter, names: Names): void {
  const { id, bodyBytes, keptBytes, subject } = letter;
  if (keptBytes < bodyBytes) {
    const text = `letter ${id} cannot be retried: only ${keptBytes} of its ${bodyBytes} bytes were kept`;
    throw new PunctualError("conflict", text);
  }
  if (!isOfFrontDoor(letter, names) && !subject.startsWith(`${names.namespace}.`))
    throw new PunctualError("conflict", `letter ${id} cannot be retried: it does not say where its job lay`);
}

export function notFound(id: number): PunctualError {
  return new PunctualError("not_found", `dead letter ${id} does not exist`);
}
