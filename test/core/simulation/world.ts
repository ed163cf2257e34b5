/**
 * One shard, its stores and everything outside of its holders: an abstract simulation of the protocol of section 4
 * of the design, over the pure pieces. Every action is one synchronous step; the steps say what interleaves.
 */
import type { Firing, LeaseRecord } from "../../../src/core/lease.js";
import type { PublishOutcome, Versioned, WorkMessage } from "../../../src/core/ports.js";
import type { Schedule } from "../../../src/core/schedule.js";
import { headers as h } from "../../../src/protocol/headers.js";
import { runIdOf } from "../../../src/protocol/names.js";
import { decodeSlots, encodeSlots } from "../../../src/protocol/slot-record.js";
import { decodeLease, encodeLease } from "../../../src/protocol/stored.js";
import { DEFAULT_START, type Fault, ManualClock, MemoryServer } from "../../../src/testing/index.js";
import { schedule } from "../given.js";
import { Ledger } from "./ledger.js";

/** A rule of the protocol that a holder may be made to break, to show that it is needed. */
export type Rule =
  | "tombstones"
  | "a duplicate may be of a tombstone"
  | "look for traces in RUNS"
  | "the record holds the view"
  | "doubt ends the term"
  | "skipped becomes true by a commit"
  | "a taken subject is read";

const LEASE = "shard.0";

export class World {
  readonly clock = new ManualClock(DEFAULT_START);
  readonly server = new MemoryServer({
    clock: this.clock,
    shards: 1,
    dedupWindowMs: Number.POSITIVE_INFINITY,
  });
  /** In the order of the store: the revision of each is its place. */
  readonly definitions: Schedule[] = [];
  readonly ledger = new Ledger();
  readonly without: Rule | undefined;
  #nonces = 0;

  constructor(without?: Rule) {
    this.without = without;
    this.server.work.onStored(({ headers }) => this.ledger.onStored(headers[h.runId]));
  }

  keeps(rule: Rule): boolean {
    return this.without !== rule;
  }

  nonce(): string {
    return `n${++this.#nonces}`;
  }

  readLease(): Versioned<LeaseRecord> | null {
    const message = this.server.leases.last(LEASE);
    if (message === null) return null;
    return { value: decodeLease(Buffer.from(message.body).toString(), LEASE), revision: message.seq };
  }

  /** The revision, or what else became of the write. */
  writeLease(record: LeaseRecord, revision: number, fault: Fault): number | "lost" | "unknown" {
    return this.#attempt(fault, () => {
      const before = this.readLease()?.value ?? null;
      const body = Buffer.from(encodeLease(record));
      const message = { subject: LEASE, headers: {}, body, expectedLast: revision };
      const answer = this.server.leases.store(message);
      if (answer.kind !== "stored") return "lost";
      this.ledger.onCommit(before, record, this.definitions);
      return answer.seq;
    });
  }

  publish({ subject, headers, msgId, body }: WorkMessage, fault: Fault): PublishOutcome | "unknown" {
    return this.#attempt(fault, () => {
      const answer = this.server.work.store({ subject, headers: { [h.msgId]: msgId, ...headers }, body });
      return answer.kind === "wrong last sequence" ? { kind: "refused", reason: answer.kind } : answer;
    });
  }

  hasEvent(runId: string): boolean {
    const { runs, names } = this.server;
    const prefix = names.runEvent(runId, "");
    for (const known of runs.subjects()) if (known.startsWith(prefix)) return true;
    return false;
  }

  /** Whether a slot record has the run. */
  isTold(runId: string): boolean {
    const { runs, names } = this.server;
    const fired = runs
      .of(names.slots(0))
      .flatMap(({ body }) => decodeSlots(Buffer.from(body).toString()).fired);
    return fired.some(({ scheduleId, slot }) => runIdOf(scheduleId, slot) === runId);
  }

  tellSlots(firings: readonly Firing[], term: number, fault: Fault): "told" | "unknown" {
    return this.#attempt(fault, () => {
      const fired = firings.map(({ scheduleId, slot }) => ({ scheduleId, slot, seq: null }));
      const body = Buffer.from(encodeSlots({ term, fired }));
      this.server.runs.store({ subject: this.server.names.slots(0), headers: {}, body });
      return "told";
    });
  }

  tellRuns(runId: string, type: string): void {
    const { runs, names } = this.server;
    const headers = { [h.msgId]: `${runId}/${type}` };
    runs.store({ subject: names.runEvent(runId, type), headers, body: Buffer.from("{}") });
  }

  /** A new definition or the next of an existing id. */
  define(id: string, change: Partial<Schedule>, offsetMs: number): void {
    const existing = this.definitions.findLast((definition) => definition.id === id);
    const firstRevision = existing === undefined ? 0 : existing.firstRevision || existing.revision;
    const effectiveFrom = this.clock.now() + offsetMs;
    const revision = this.definitions.length + 1;
    const own = { id, revision, firstRevision, effectiveFrom };
    this.definitions.push({ ...(existing ?? schedule(id)), ...change, ...own });
  }

  /**
   * A worker does a job: an SDK's tells RUNS before it acknowledges, a bare one does not; an ack may be lost. A bare
   * one that is done before the slot record is stored is the residual risk of a server that forgets.
   */
  work(choice: number, fault: Fault): void {
    const jobs = [...this.server.work.messages()].filter(({ headers }) => headers[h.runId] !== undefined);
    const job = jobs[choice % Math.max(1, jobs.length)];
    if (job === undefined) return;
    const runId = job.headers[h.runId] as string;
    const isBare = choice % 2 === 1 && this.isTold(runId);
    if (!isBare) this.tellRuns(runId, "succeeded");
    if (fault === undefined || fault === "answer lost") this.server.work.remove(job.seq);
  }

  #attempt<T>(fault: Fault, act: () => T): T | "unknown" {
    if (fault === "late") this.server.holdBack(act);
    const outcome = fault === undefined || fault === "answer lost" ? act() : "unknown";
    return fault === undefined ? outcome : "unknown";
  }
}
