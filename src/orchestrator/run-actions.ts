/** What people do to runs: ending them, and running them once more. */
import { PunctualError } from "../core/errors.js";
import type { RunHistory } from "../core/lookback.js";
import type { Cancellations, RunLog, StoredMessage, WorkStream } from "../core/ports.js";
import type { QueueConsumers } from "../core/queue.js";
import { isOver, type Run } from "../core/run.js";
import type { ApiParsed, ApiResponse } from "../protocol/api.js";
import type { Enqueued } from "../protocol/enqueue-input.js";
import { waitingJob } from "../protocol/gate-message.js";
import type { Names } from "../protocol/names.js";
import { redeliverySubject } from "../protocol/redelivery-message.js";
import { runIdOfMessage } from "../protocol/run-id.js";
import { parseJobSubject } from "../protocol/subjects.js";
import { withdraw } from "./withdrawal.js";

export interface RunActionPorts {
  work: WorkStream;
  runs: RunLog;
  cancellations: Cancellations;
  names: Names;
  history: RunHistory;
  queueConsumers: QueueConsumers;
}

/** What other parts do for them. */
export interface RunActionParts {
  /** @throws not_found */
  known(id: string): Promise<{ run: Run }>;
  trigger(request: { id: string; author?: string | undefined }): Promise<Enqueued>;
  /** Queues the job of a dead letter again and answers with its new run id; null: there is no letter of this run. */
  retryLetter(run: Run, author: string | undefined): Promise<string | null>;
}

/** A worker that has the run answers within so long. */
const ANSWER_MS = 500;

export class RunActions {
  readonly #ports: RunActionPorts;
  readonly #parts: RunActionParts;

  constructor(ports: RunActionPorts, parts: RunActionParts) {
    this.#ports = ports;
    this.#parts = parts;
  }

  async cancel({ id, force, author }: ApiParsed<"run.cancel">): Promise<ApiResponse<"run.cancel">> {
    const { run } = await this.#parts.known(id);
    if (isOver(run.state)) throw new PunctualError("conflict", `run ${id} is over: ${run.state}`);
    if (await this.#ports.cancellations.ask(id, ANSWER_MS)) return { id, outcome: "signalled" };
    const message = await this.#messageOf(run);
    if (message === null && (await this.#cancelAtGate(run, author))) return { id, outcome: "removed" };
    if (message === null) {
      const why =
        run.state === "retrying" ? "waits elsewhere for its next attempt" : "is not in its queue any more";
      throw new PunctualError("conflict", `run ${id} ${why}`);
    }
    if (!force && (await this.#isInHand(run, message)))
      throw new PunctualError(
        "conflict",
        `run ${id}: a worker has it that does not hear of cancellations; ` +
          "with force it is taken from the queue, and what that worker does it does to the end",
      );
    await this.#remove(id, message, author);
    return { id, outcome: "removed" };
  }

  async retry({ id, author }: ApiParsed<"run.retry">): Promise<ApiResponse<"run.retry">> {
    const { run } = await this.#parts.known(id);
    if (!isOver(run.state)) throw new PunctualError("conflict", `run ${id} is not over: ${run.state}`);
    const fromLetter = run.state === "dead" ? await this.#parts.retryLetter(run, author) : null;
    if (fromLetter !== null) return { id, runId: fromLetter, from: "dead letter" };
    if (run.scheduleId === null)
      throw new PunctualError(
        "conflict",
        `run ${id}: the payload of a job is kept until it is done, or with its dead letter, and there is none; enqueue it again`,
      );
    const { runId, accepted } = await this.#parts.trigger({ id: run.scheduleId, author });
    if (!accepted)
      throw new PunctualError(
        "conflict",
        `run ${id}: a run of schedule ${run.scheduleId} is queued or running`,
      );
    return { id, runId, from: "schedule" };
  }

  async #messageOf({ id, seq }: Run): Promise<StoredMessage | null> {
    const message = seq === null ? null : await this.#ports.work.at(seq);
    return message !== null && runIdOfMessage(message) === id ? message : null;
  }

  /** Whether it waited at the gate of its queue and will not pass. */
  async #cancelAtGate({ id, state }: Run, author: string | undefined): Promise<boolean> {
    const { work, names, history } = this.#ports;
    const event = state === "waiting" ? await history.lastEvent(id) : null;
    const stored = typeof event?.data.seq === "number" ? await work.at(event.data.seq) : null;
    const job = stored === null ? null : waitingJob(stored, null, names);
    if (stored === null || job?.runId !== id) return false;
    const subject = names.gateTombstone(id, stored.seq);
    if (!(await withdraw(work, { subject, msgId: job.message.msgId, reason: "cancelled" })))
      throw new PunctualError("conflict", `run ${id} has just come into its queue; try again`);
    await this.#remove(id, stored, author);
    return true;
  }

  /** A job that waits for another attempt is in nobody's hand. */
  async #isInHand({ state }: Run, { seq, subject }: StoredMessage): Promise<boolean> {
    const place = parseJobSubject(subject);
    if (place === null || state === "retrying") return false;
    return seq <= (await this.#ports.queueConsumers.handedOut(place.queue, place.lane));
  }

  /**
   * The event first: a crash in between repeats both. A worker that gets the job at this very moment is told after its
   * message is gone, and tells the same event, which is stored once.
   */
  async #remove(id: string, message: StoredMessage, author: string | undefined): Promise<void> {
    const { runs, work, cancellations, names } = this.#ports;
    const { seq } = message;
    const data = { reason: "cancelled in its queue", ...(author !== undefined && { by: author }) };
    await runs.append({ runId: id, type: "cancelled", msgId: `${id}/cancelled/${seq}`, data });
    const again = redeliverySubject(message, names);
    const inItsPlace = again === null ? null : await work.lastOn(again);
    if (inItsPlace !== null) await work.remove(inItsPlace.seq);
    await work.remove(seq);
    cancellations.request(id);
  }
}
