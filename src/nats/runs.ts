/** RUNS: what happened. */
import type { JetStreamManager } from "@nats-io/jetstream";
import { PunctualError } from "../core/errors.js";
import type { RunEvent, RunLog } from "../core/ports.js";
import { headers as h } from "../protocol/headers.js";
import type { Names } from "../protocol/names.js";
import { reasonOf } from "./ack.js";
import type { Publisher } from "./publisher.js";

const encoder = new TextEncoder();

export class NatsRunLog implements RunLog {
  readonly #jsm: JetStreamManager;
  readonly #publisher: Publisher;
  readonly #names: Names;

  constructor(jsm: JetStreamManager, publisher: Publisher, names: Names) {
    this.#jsm = jsm;
    this.#publisher = publisher;
    this.#names = names;
  }

  async append(event: RunEvent): Promise<void> {
    const subject = this.#names.runEvent(event.runId, event.type);
    await this.#publisher.ready();
    const body = encoder.encode(JSON.stringify(event.data));
    const outcome = await this.#publisher.publish(subject, { [h.msgId]: event.msgId }, body);
    if (outcome.kind === "stored" || outcome.kind === "duplicate") return;
    throw new PunctualError(
      "unavailable",
      `${subject}: the event could not be stored (${reasonOf(outcome)})`,
    );
  }

  async hasAny(runId: string, workSubject: string, from: number): Promise<boolean> {
    const events = await this.#jsm.streams.getMessage(this.#names.runs, {
      last_by_subj: this.#names.runEvents(runId),
    });
    if (events !== null) return true;
    return this.#wasQueued(runId, this.#names.queued(workSubject), from);
  }

  async has(runId: string, type: string): Promise<boolean> {
    const subject = this.#names.runEvent(runId, type);
    return (await this.#jsm.streams.getMessage(this.#names.runs, { last_by_subj: subject })) !== null;
  }

  async lastSequence(): Promise<number> {
    return (await this.#jsm.streams.info(this.#names.runs)).state.last_seq;
  }

  /** The server republishes what WORK stores; one subject serves all runs of a schedule that skips overlaps. */
  async #wasQueued(runId: string, subject: string, from: number): Promise<boolean> {
    for (let seq = from + 1; ; ) {
      const query = { seq, next_by_subj: subject };
      const message = await this.#jsm.streams.getMessage(this.#names.runs, query);
      if (message === null) return false;
      if (message.header?.get(h.runId) === runId) return true;
      seq = message.seq + 1;
    }
  }
}
