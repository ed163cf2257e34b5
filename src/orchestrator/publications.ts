/** The runs of one term on their way into WORK: when each may be published, and what the answer to it means. */
import type { Firing, Report } from "../core/lease.js";
import { startsBefore } from "../core/policies.js";
import type { PreparedMessage, PublishOutcome } from "../core/ports.js";
import type { Instant } from "../core/schedule.js";
import { classOf, type OrchestratorTelemetry } from "../core/telemetry.js";
import type { Tracing } from "../core/tracing.js";
import type { Logger } from "../runtime/log.js";
import type { Definition } from "./definitions.js";
import type { Dispatcher, Publishing } from "./dispatcher.js";
import { FireSpans } from "./fire-spans.js";
import type { Flights } from "./flights.js";
import { type OverlapPorts, Overlaps } from "./overlaps.js";

export interface PublicationPorts extends OverlapPorts {
  dispatcher: Dispatcher;
  log: Logger;
  telemetry: OrchestratorTelemetry;
  tracing: Tracing;
}

/** The term that they are of, and what becomes of them, said to it. */
export interface PublicationTerm {
  readonly shard: number;
  readonly term: number;
  readonly flights: Flights;
  /** Runs that may wait for their jitter; more are published at once. */
  mostResting(): number;
  mayPublish(): boolean;
  hasEnded(): boolean;
  onFired(firing: Firing, seq: number | null): void;
  onNotFired(firing: Firing, outcome: Report["outcome"], reason: string): void;
  onDoubt(reason: string): void;
}

const FULL_RETRY_MS = 250;

export class Publications implements Publishing {
  readonly #ports: PublicationPorts;
  readonly #term: PublicationTerm;
  readonly #overlaps: Overlaps;
  readonly #spans: FireSpans;
  /** Runs whose jitter has not passed. */
  readonly #resting = new Set<Firing>();
  #isWaiting = false;

  constructor(ports: PublicationPorts, term: PublicationTerm) {
    this.#ports = ports;
    this.#term = term;
    this.#spans = new FireSpans(ports.tracing);
    this.#overlaps = new Overlaps(ports, {
      definitionOf: (firing) => term.flights.definitionOf(firing),
      publish: (firing) => ports.dispatcher.addLater(this, firing, 0),
      fired: (firing, seq) => this.#fired(firing, seq),
      skipped: (firing, reason) => this.#notFired(firing, "skipped", reason),
      doubt: (reason) => term.onDoubt(reason),
    });
  }

  /** Runs that wait for others to be over, or for their jitter. */
  get waiting(): number {
    return this.#overlaps.waiting + this.#resting.size;
  }

  /** Whether a run was never sent, by this term or any other. */
  isUnsent(firing: Firing): boolean {
    return this.#resting.has(firing) && firing.firstTerm === this.#term.term;
  }

  /** @param firings in the order of their slots */
  add(firings: readonly Firing[]): void {
    this.#ports.dispatcher.add(this, firings);
  }

  stop(): void {
    this.#overlaps.stop();
  }

  mayPublish(): boolean {
    return this.#term.mayPublish();
  }

  admits(firing: Firing): boolean {
    this.#resting.delete(firing);
    const definition = this.#term.flights.openWith(firing);
    if (definition === null) return false;
    if (definition.isPlain) return true;
    const { schedule } = definition;
    const deadline = startsBefore(schedule, firing.slot) + definition.delayOf(firing.slot);
    if (this.#ports.clock.now() <= deadline) return this.#overlaps.admits(firing);
    this.#notFired(firing, "expired", "start deadline");
    return false;
  }

  prepare(firing: Firing): PreparedMessage {
    const ticket = this.#overlaps.ticketOf(firing);
    const definition = this.#term.flights.definitionOf(firing);
    const message = definition.messageOf(firing, this.#term.term, ticket);
    const due = dueOf(firing, definition);
    return this.#ports.work.prepare(this.#spans.traced(firing, definition.schedule, due, message));
  }

  restOf(firing: Firing): number {
    const delayMs = this.#term.flights.definitionOf(firing).delayOf(firing.slot);
    if (delayMs === 0 || this.#resting.size >= this.#term.mostResting()) return 0;
    this.#resting.add(firing);
    return delayMs;
  }

  onOutcome(firing: Firing, outcome: PublishOutcome): void {
    if (this.#term.hasEnded() && outcome.kind !== "stored") return;
    switch (outcome.kind) {
      case "stored": // the next term would like to know
        this.#measure(firing);
        this.#fired(firing, outcome.seq);
        break;
      case "taken":
        void this.#overlaps.onTaken(firing);
        break;
      case "full":
        this.#warnOfWaiting(outcome.reason);
        this.#overlaps.retry(firing);
        this.#ports.dispatcher.addLater(this, firing, FULL_RETRY_MS);
        break;
      case "refused":
        this.#notFired(firing, "missed", `refused: ${outcome.reason}`);
        break;
      case "duplicate":
        // Each term publishes a run under an id of its own: only a successor's tombstone can have used it.
        this.#term.onDoubt("a publish was refused as a duplicate: someone has taken over");
        break;
      case "unknown":
        this.#term.onDoubt(`a publish was not answered: ${outcome.error.message}`);
    }
  }

  /** Once a term: there may be thousands of runs, each tried again and again. */
  #warnOfWaiting(reason: string): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#ports.log.warn({ shard: this.#term.shard, reason }, "WORK takes nothing: runs wait");
  }

  #measure(firing: Firing): void {
    const definition = this.#term.flights.openWith(firing);
    if (definition === null) return;
    const { telemetry, clock } = this.#ports;
    const latenessMs = clock.now() - dueOf(firing, definition);
    telemetry.fired(classOf(definition.schedule), firing.catchUp === true, latenessMs);
  }

  #fired(firing: Firing, seq: number | null): void {
    this.#spans.end(firing);
    this.#term.onFired(firing, seq);
    this.#overlaps.forget(firing);
  }

  #notFired(firing: Firing, outcome: Report["outcome"], reason: string): void {
    this.#spans.end(firing, new Error(`${outcome}: ${reason}`));
    this.#term.onNotFired(firing, outcome, reason);
    this.#overlaps.forget(firing);
  }
}

const dueOf = ({ slot }: Firing, definition: Definition): Instant => slot + definition.delayOf(slot);
