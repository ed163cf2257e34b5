/**
 * Carries one job through the gate of its queue, at most once, whatever crashes:
 *
 *   read it at the gate ──► publish it to the queue ──► remove it from the gate
 *
 * - As long as its message is at the gate, it has not passed, or nobody has noted yet that it has. So a crash anywhere
 *   repeats, and loses nothing.
 * - The message id under which it is published is made from its place at the gate, and so is the same whoever lets it
 *   pass. While the server remembers the id, a second publish is a duplicate; while the job is queued or running, its
 *   subject is taken. Both mean that it has passed.
 * - What waited before we came, or had no answer, may have passed and be done, and the server have forgotten the id; one
 *   that was killed forgets even that jobs have left the gate. So RUNS is asked, where the server itself tells of each job
 *   that it stored: where others have had the subject since, of all that passed since the oldest that waits came.
 * - Before each publish we ask whether the gate is still ours, and how long ago the job was read there.
 */
import { messageOf } from "../core/errors.js";
import type { GateStore } from "../core/gate-store.js";
import { SKEW_MS } from "../core/instant.js";
import type { RunHistory } from "../core/lookback.js";
import type { Clock, DeadLetters, PublishOutcome, RunLog, StoredMessage, WorkStream } from "../core/ports.js";
import type { RunsReader } from "../core/runs-reader.js";
import type { Instant } from "../core/schedule.js";
import { hasPassedGate, type WaitingJob, waitingJob } from "../protocol/gate-message.js";
import { headers as h } from "../protocol/headers.js";
import type { Names } from "../protocol/names.js";
import { parseJobSubject } from "../protocol/subjects.js";
import type { Logger } from "../runtime/log.js";
import { buryRefused } from "./refusal.js";
import { tellCancelled } from "./told-cancelled.js";

export interface PassagePorts {
  clock: Clock;
  log: Logger;
  names: Names;
  work: WorkStream;
  runs: RunLog;
  dead: DeadLetters;
  gates: GateStore;
  history: Pick<RunHistory, "lastQueued">;
  reader: RunsReader;
}

/** A job that may pass, as its gate has decided. */
export interface Ticketed {
  /** Of its message at the gate. */
  seq: number;
  key: string | null;
  ticket: number | null;
  /** It waited before we came. */
  isInherited: boolean;
}

/** Jobs are published in the order in which they were let pass, however long each takes to be read. */
export interface Turn {
  /** Those before it are sent. */
  come: Promise<void>;
  /** It is sent, or will not be. */
  over(): void;
}

/** What became of it. `seq`: of the message in WORK. */
export type Passed =
  | { kind: "landed"; seq: number; isThere: boolean }
  /** Another job has its ticket. */
  | { kind: "occupied"; seq: number }
  /** It has left the gate without us: it was cancelled, skipped, or had passed before. */
  | { kind: "gone" }
  /** It waits still. */
  | { kind: "waits" };

/** A publish may be made for so long after its job was seen at the gate. */
const PUBLISH_WITHIN_MS = 10_000;
const RETRY_MS = 250;
const SKIPPED = "a job with this id or key is queued or running";

export class Passages {
  readonly #ports: PassagePorts;
  readonly #mayPublish: () => boolean;
  /** The message ids of those who passed before we came. */
  #former: Promise<Set<string>> | undefined;

  /** @param mayPublish false: the gate is not ours any more */
  constructor(ports: PassagePorts, mayPublish: () => boolean) {
    this.#ports = ports;
    this.#mayPublish = mayPublish;
  }

  /** Publishes it if it is to be. Who has landed is to be taken from the gate with `leave`. */
  async pass(one: Ticketed, turn: Turn): Promise<Passed> {
    let isSent = false;
    for (;;) {
      try {
        const passed = await this.#try(one, turn, isSent);
        if (passed !== "unknown") return passed;
      } catch (error) {
        // Sent and not answered, it may have passed: that is found out before anything else is done with its ticket.
        if (!isSent || !this.#mayPublish()) throw error;
      }
      isSent = true;
      await this.#pause();
    }
  }

  async #try(one: Ticketed, turn: Turn, isSent: boolean): Promise<Passed | "unknown"> {
    const { clock, work, names } = this.#ports;
    const seenAt = clock.monotonic();
    const stored = await work.at(one.seq);
    const job = stored === null ? null : waitingJob(stored, one.ticket, names);
    if (stored === null || job === null) return { kind: "gone" };
    if ((one.isInherited || isSent) && (await this.#hasPassed(one, stored, job))) return this.#gone(one.seq);
    if (one.isInherited && (await work.lastOn(names.gateTombstone(job.runId, one.seq))) !== null)
      return this.#cancelled(one.seq, job.runId);
    if (this.#isLate(job)) return this.#expire(one.seq, job);
    await turn.come;
    await work.ready();
    if (!this.#mayPublish() || clock.monotonic() - seenAt > PUBLISH_WITHIN_MS) return { kind: "waits" };
    const publishing = work.publish(job.message);
    turn.over();
    const outcome = await publishing;
    return outcome.kind === "unknown" ? "unknown" : this.#became(one, stored, job, outcome);
  }

  /** Takes it from the gate; tries until it is so, or the gate is not ours any more. */
  async leave(seq: number): Promise<void> {
    for (;;) {
      try {
        return await this.#ports.work.remove(seq);
      } catch (error) {
        this.#ports.log.warn({ error: messageOf(error) }, "a job could not leave its gate: tried again");
        await this.#pause();
        if (!this.#mayPublish()) throw error;
      }
    }
  }

  async #became(
    one: Ticketed,
    stored: StoredMessage,
    job: WaitingJob,
    outcome: Exclude<PublishOutcome, { kind: "unknown" }>,
  ): Promise<Passed> {
    switch (outcome.kind) {
      case "stored":
        return { kind: "landed", seq: outcome.seq, isThere: true };
      case "duplicate":
        return this.#onDuplicate(one, job, outcome.seq);
      case "taken":
        return this.#onTaken(one, stored, job);
      case "full":
        await this.#pause();
        return { kind: "waits" };
      case "refused":
        return this.#bury(stored, job, outcome.reason);
    }
  }

  /** What has used the message id may be a tombstone, by which it was cancelled. */
  async #onDuplicate(one: Ticketed, { runId, message }: WaitingJob, seq: number): Promise<Passed> {
    const { work, names } = this.#ports;
    const stored = await work.at(seq).catch(() => undefined);
    if (stored?.subject === names.gateTombstone(runId, one.seq)) return this.#cancelled(one.seq, runId);
    return { kind: "landed", seq, isThere: stored === undefined || stored?.subject === message.subject };
  }

  /** Whoever cancelled it may have crashed before it was told. */
  async #cancelled(seq: number, runId: string): Promise<Passed> {
    await tellCancelled(this.#ports.runs, { runId, at: "gate", seq });
    return this.#gone(seq);
  }

  async #onTaken(one: Ticketed, stored: StoredMessage, job: WaitingJob): Promise<Passed> {
    const { work, runs } = this.#ports;
    const occupant = await work.lastOn(job.message.subject);
    if (occupant === null) return { kind: "waits" };
    if (occupant.headers[h.msgId] === job.message.msgId)
      return { kind: "landed", seq: occupant.seq, isThere: true };
    if (one.ticket !== null) return { kind: "occupied", seq: occupant.seq };
    // Its letter went when it came to the gate.
    if (stored.headers[h.retryOf] !== undefined) return this.#bury(stored, job, SKIPPED);
    const msgId = `${job.runId}/skipped/${one.seq}`;
    await runs.append({ runId: job.runId, type: "skipped", msgId, data: { reason: SKIPPED } });
    return this.#gone(one.seq);
  }

  #isLate({ startDeadline }: WaitingJob): boolean {
    return startDeadline !== null && this.#ports.clock.now() > startDeadline;
  }

  async #expire(seq: number, { runId, message }: WaitingJob): Promise<Passed> {
    const data = { reason: "start deadline", startDeadline: message.headers[h.startDeadline] };
    await this.#ports.runs.append({ runId, type: "expired", msgId: `${runId}/expired/${seq}`, data });
    return this.#gone(seq);
  }

  async #bury(
    { seq, subject, headers, body }: StoredMessage,
    { runId, queue }: WaitingJob,
    error: string,
  ): Promise<Passed> {
    await buryRefused(this.#ports, { queue, subject, seq, headers, body }, runId, error);
    return this.#gone(seq);
  }

  async #gone(seq: number): Promise<Passed> {
    await this.leave(seq);
    return { kind: "gone" };
  }

  /** Whether it was put into the queue before: by us just now, or by others, when the limits may have been others. */
  async #hasPassed(
    { key, isInherited }: Ticketed,
    stored: StoredMessage,
    { queue, runId, message: { msgId, subject } }: WaitingJob,
  ): Promise<boolean> {
    const { names } = this.#ports;
    const plain = waitingJob(stored, null, names)?.message.subject ?? subject;
    for (const place of new Set([subject, plain])) if ((await this.#lastOn(place)) === msgId) return true;
    const isItsOwn = key === null && parseJobSubject(plain)?.key === runId;
    if (!isInherited || isItsOwn) return false;
    this.#former ??= this.#passedSince(queue, stored.storedAt).catch((error) => {
      this.#former = undefined;
      throw error;
    });
    return (await this.#former).has(msgId);
  }

  /** Since the oldest that waits came, or the one that was stored then. */
  async #passedSince(queue: string, storedAt: Instant): Promise<Set<string>> {
    const { gates, reader, names } = this.#ports;
    const [oldest] = await gates.waiting(queue, { after: 0, limit: 1 });
    const since = Math.min(oldest?.storedAt ?? storedAt, storedAt) - SKEW_MS;
    const { first: from, last: to } = await reader.bounds();
    const passed = new Set<string>();
    const subject = names.queued(names.jobsOf(queue));
    await reader.read({ from, to, since, subject }, ({ headers }) => {
      const msgId = headers[h.msgId];
      if (msgId !== undefined && hasPassedGate(msgId)) passed.add(msgId);
    });
    return passed;
  }

  /** The message id of the last job that the server tells to have stored there. */
  async #lastOn(subject: string): Promise<string | undefined> {
    return (await this.#ports.history.lastQueued(subject))?.msgId;
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => this.#ports.clock.after(RETRY_MS, resolve));
  }
}
