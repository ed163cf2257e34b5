/**
 * Retrying a dead letter: its job goes back to where it lay, under a run id of its own, and the letter goes away. Where
 * its queue has limits that are for it, it waits at the gate like any job.
 *
 *   `requeued` in RUNS ──► publish ──► remove the letter
 *
 * A crash may cut this anywhere, and then somebody asks again. Nothing is lost, as the letter goes last. Nothing runs
 * twice, as the retry's run id and message id follow from the letter: while the server remembers the id it answers
 * `duplicate`; while the job waits, is queued or running, it is found where it is; and when it is over, RUNS has more
 * events of the run, or the server's own record that its job was stored. That is searched for only if somebody has begun
 * before, which `requeued` tells.
 */
import type { DeadLetterStore, QueuedJobs } from "../core/dead-letter-store.js";
import { PunctualError } from "../core/errors.js";
import { concurrencyOf } from "../core/gate-line.js";
import { SKEW_MS } from "../core/instant.js";
import type { Letter, RetryPlace } from "../core/letters.js";
import type { RunHistory } from "../core/lookback.js";
import type { PublishOutcome, RunLog, StoredMessage, WorkMessage, WorkStream } from "../core/ports.js";
import type { Instant } from "../core/schedule.js";
import { followingOf } from "../protocol/chain-message.js";
import {
  isOfFrontDoor,
  readLetter,
  retryMessage,
  retryRunId,
  toldSubjects,
} from "../protocol/dead-letter.js";
import { admitted } from "../protocol/gate-message.js";
import { headers as h } from "../protocol/headers.js";
import type { Names } from "../protocol/names.js";
import { runIdOfMessage } from "../protocol/run-id.js";
import { isFireSubject, parseJobSubject } from "../protocol/subjects.js";
import type { Admission } from "../runtime/admission.js";

export interface RequeuerPorts {
  names: Names;
  letters: DeadLetterStore;
  queuedJobs: QueuedJobs;
  history: RunHistory;
  runs: RunLog;
  work: WorkStream;
  admission: Admission;
  shards: number;
}

/** The run that retries a letter, and where its job lies now. */
export interface Requeued {
  runId: string;
  to: RetryPlace;
}

/** A retry on its way. */
interface Retry {
  letter: Letter;
  runId: string;
  to: RetryPlace;
  /** As it would be in WORK without a gate, and as it goes there. */
  plain: WorkMessage;
  message: WorkMessage;
}

const TRIES = 5;

export class Requeuer {
  readonly #ports: RequeuerPorts;

  constructor(ports: RequeuerPorts) {
    this.#ports = ports;
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
    const retry = await this.#retryOf(letter, message.body);
    const { runId, to } = retry;
    const begun = await this.#begun(retry);
    if (begun !== "done") {
      const tell = () =>
        runs.append({
          ...{ runId, type: "requeued", msgId: `${runId}/requeued` },
          data: { retryOf: letter.runId, letter: id, queue: letter.queue, ...(author && { author }) },
        });
      await this.#letIn(retry, begun === "not yet" ? tell : async () => {});
    }
    await letters.remove(id);
    return { runId, to };
  }

  async #retryOf(letter: Letter, body: Uint8Array): Promise<Retry> {
    const { names, admission } = this.#ports;
    const plain = retryMessage(letter, body, names);
    const retry = { letter, runId: retryRunId(letter, names), plain };
    if (isOfFrontDoor(letter, names)) return { ...retry, to: "front door", message: plain };
    const queue = parseJobSubject(plain.subject)?.queue;
    if (queue === undefined) return { ...retry, to: "queue", message: plain };
    const settings = await admission.settings(queue);
    const message = isFireSubject(plain.subject) ? plain : admitted(plain, settings, names);
    return { ...retry, to: message === plain ? "queue" : "gate", message };
  }

  /**
   * Whether somebody has queued it before, or was about to. Events of an older run with this id do not count: sequences
   * begin anew when a stream is made anew.
   */
  async #begun(retry: Retry): Promise<"not yet" | "perhaps" | "done"> {
    const { letter, runId } = retry;
    const last = await this.#ports.history.lastEvent(runId);
    if (last === null || last.at < letter.diedAt) return "not yet";
    if (last.type !== "requeued") return "done";
    const since = Math.max(letter.diedAt, last.at - SKEW_MS);
    return (await this.#isTraced(retry, since)) ? "done" : "perhaps";
  }

  /** First where it may wait: it goes on from there. */
  async #isTraced({ letter, runId, message }: Retry, since: Instant): Promise<boolean> {
    const { work, queuedJobs, names, admission } = this.#ports;
    const occupant = await work.lastOn(message.subject);
    if (occupant !== null && runIdOfMessage(occupant) === runId) return true;
    const { perKey } = letter.headers[h.key] === undefined ? {} : await admission.settings(letter.queue);
    const tickets = (perKey && concurrencyOf(perKey)) ?? 0;
    const told = await Promise.all(
      toldSubjects(letter, names, tickets).map((subject) => queuedJobs.has(subject, runId, since)),
    );
    return told.includes(true);
  }

  /** What followed upon the run that died may follow upon its retry; the front door sees to that by itself. */
  async #letIn(retry: Retry, tell: () => Promise<void>): Promise<void> {
    const { letter, runId, to, plain } = retry;
    const { admission } = this.#ports;
    if (to !== "front door") {
      this.#checkRoom(letter);
      await this.#checkFree(retry);
    }
    await tell();
    const following = to === "front door" ? undefined : followingOf(runId, plain, this.#ports);
    const publish = () => this.#publish(retry).then(() => ({ accepted: true }));
    const { accepted } = await admission.followed({ ...(following && { following }) }, publish);
    if (!accepted)
      throw new PunctualError("conflict", `letter ${letter.id} stays: run ${runId} is under way`);
  }

  #checkRoom({ id, queue }: Letter): void {
    const full = this.#ports.admission.refusal(queue);
    if (full !== null) throw new PunctualError("full", `letter ${id} stays: ${full}`);
  }

  /** Before anything is told; and at a gate it would be refused only later. */
  async #checkFree({ letter, runId, plain: { subject } }: Retry): Promise<void> {
    const occupant = await this.#ports.work.lastOn(subject);
    if (occupant !== null && runIdOfMessage(occupant) !== runId)
      throw new PunctualError("conflict", `letter ${letter.id} stays: ${whyTaken(letter, occupant)}`);
  }

  async #publish({ letter, runId, message }: Retry): Promise<void> {
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
        return this.#readTaken(letter, runId, message.subject);
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

  async #readTaken(letter: Letter, runId: string, subject: string): Promise<void> {
    const occupant = await this.#ports.work.lastOn(subject);
    if (occupant !== null && runIdOfMessage(occupant) === runId) return;
    throw new PunctualError("conflict", `letter ${letter.id} stays: ${whyTaken(letter, occupant)}`);
  }
}

function whyTaken({ seq, subject, runId }: Letter, occupant: StoredMessage | null): string {
  if (occupant === null) return `another run on ${subject} is just over; try again`;
  if (occupant.seq === seq && runIdOfMessage(occupant) === runId)
    return "it is still being moved to the dead letters; try again in a minute";
  return `run ${runIdOfMessage(occupant)} is queued or running on its subject ${subject}`;
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
