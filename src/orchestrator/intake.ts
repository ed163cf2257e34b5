/** The front door: jobs as any producer publishes them, moved on to WORK. */
import { messageOf, PunctualError } from "../core/errors.js";
import type { Finished } from "../core/finished.js";
import { shardOf } from "../core/hash.js";
import type {
  Clock,
  DeadLetters,
  Delivery,
  DeliverySource,
  RunLog,
  Subscription,
  WorkStream,
} from "../core/ports.js";
import type { OrchestratorTelemetry } from "../core/telemetry.js";
import type { NewJob, TimerStore } from "../core/timer.js";
import { followerBytes } from "../protocol/chain-message.js";
import { newJob } from "../protocol/enqueue-message.js";
import { headers as h, isReservedHeader } from "../protocol/headers.js";
import { type IntakeRequest, readIntake } from "../protocol/intake-message.js";
import { checkSize, msgIdOf, policyHeaders } from "../protocol/job-message.js";
import type { Names } from "../protocol/names.js";
import { runIdOfMessage } from "../protocol/run-id.js";
import { retryOf } from "../protocol/schedule-input.js";
import type { Admission } from "../runtime/admission.js";
import type { Refused } from "../runtime/chain-door.js";
import { type LetIn, letIn } from "../runtime/enqueue.js";
import type { Logger } from "../runtime/log.js";

export interface IntakePorts {
  admission: Admission;
  intake: DeliverySource;
  work: WorkStream;
  timers: TimerStore;
  clock: Clock;
  shards: number;
  dead: DeadLetters;
  runs: RunLog;
  names: Names;
  /** Of the server, in bytes. */
  maxPayload: number;
  log: Logger;
  telemetry: OrchestratorTelemetry;
}

const CONCURRENCY = 256;
const RETRY_MS = 1_000;

export class Intake {
  readonly #ports: IntakePorts;
  readonly #finished: Finished;

  /**
   * @param finished what was taken in or refused: a server that was killed delivers some of it again, over another
   *   connection, and knows their message ids no more when their jobs are done
   */
  constructor(ports: IntakePorts, finished: Finished) {
    this.#ports = ports;
    this.#finished = finished;
  }

  start(): Promise<Subscription> {
    return this.#ports.intake.consume({
      concurrency: CONCURRENCY,
      onDelivery: (delivery) => this.#take(delivery),
      onNotice: (text) => this.#ports.log.debug({ notice: text }, "intake"),
    });
  }

  /** Stored in WORK or in DEAD before it is acknowledged here. */
  async #take(delivery: Delivery): Promise<void> {
    if (this.#finished.has(delivery)) return delivery.ack();
    try {
      await this.#forward(delivery);
    } catch (error) {
      if (error instanceof PunctualError && error.code === "invalid")
        await this.#refuse(delivery, "invalid", error.message);
      else {
        this.#ports.log.warn({ error: messageOf(error) }, "a job could not be taken in: tried again");
        delivery.nak(RETRY_MS);
      }
    }
  }

  async #forward(delivery: Delivery): Promise<void> {
    const { work, timers, admission, names, shards, clock, maxPayload } = this.#ports;
    const request = readIntake(delivery, names);
    checkSize(delivery.body, maxPayload - followerBytes(request.kept));
    const { queue, runId, lane, kept, timeoutMs } = request;
    const settings = await admission.settings(queue);
    const asked = retryOf({ maxAttempts: request.maxAttempts }, settings.maxAttempts);
    const retry = { ...request.backoff, maxAttempts: asked.maxAttempts };
    const message = {
      subject: names.job(queue, request.unique ?? runId, lane),
      msgId: msgIdOf(runId, 1),
      headers: { ...ownHeaders(delivery), ...policyHeaders({ retry, timeoutMs }), ...kept, [h.runId]: runId },
      body: delivery.body,
    };
    const job = newJob(runId, message, request.at, { names, shards, now: clock.now(), settings });
    const full = job.waiting === undefined ? admission.refusal(queue) : null;
    if (full !== null) return this.#refuse(delivery, "full", full);
    const letInOnce = () => admission.within(request, () => letIn({ work, timers }, job));
    const { accepted, isRepeat } = await admission.followed<Refused | LetIn>(job, letInOnce);
    // What is told of a repeat would be taken for the end of the run.
    if (!accepted && !(isRepeat ?? (await this.#isRepeat(request, job))))
      await this.#tellRefused(runId, delivery);
    this.#ports.telemetry.tookIn(accepted ? "accepted" : "skipped");
    this.#finished.add(delivery);
    delivery.ack();
  }

  /** Whether its place is taken by itself: it was let in before, and may be under way. */
  async #isRepeat({ runId, unique }: IntakeRequest, { work: { subject } }: NewJob): Promise<boolean> {
    const { work, admission, names, shards } = this.#ports;
    const occupant = await work.lastOn(subject);
    const isItself = occupant === null ? unique === undefined : runIdOfMessage(occupant) === runId;
    return isItself || (await admission.isAwaited(names.chainKey(shardOf(runId, shards), runId)));
  }

  /** The producer has gone: that its job was one too many is told in the history. */
  #tellRefused(runId: string, { seq }: Delivery): Promise<void> {
    const reason = "a job with this id or key is queued or running, or was within its period";
    return this.#ports.runs.append({
      runId,
      type: "skipped",
      msgId: `${runId}/skipped/${seq}`,
      data: { reason },
    });
  }

  /** Invalid input never becomes valid by waiting, and for a full queue nobody waits here. */
  async #refuse(delivery: Delivery, reason: "invalid" | "full", error: string): Promise<void> {
    const { dead, names, log, telemetry } = this.#ports;
    const queue = delivery.subject.slice(names.enqueue("").length);
    try {
      const { subject, seq, headers, body } = delivery;
      await dead.bury({
        queue,
        subject,
        seq,
        headers,
        body,
        reason,
        attempts: 0,
        error,
      });
      telemetry.tookIn(reason);
      telemetry.buried(queue, reason);
      this.#finished.add(delivery);
      delivery.term(error);
    } catch (cause) {
      log.warn(
        { subject: delivery.subject, error: messageOf(cause) },
        "a refused job could not be kept: tried again",
      );
      delivery.nak(RETRY_MS);
    }
  }
}

function ownHeaders(delivery: Delivery): Record<string, string> {
  return Object.fromEntries(Object.entries(delivery.headers).filter(([name]) => !isReservedHeader(name)));
}
