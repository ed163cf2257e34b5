/**
 * Asks the server for what only it can count. Queues and dead letters are counted by whoever holds the first shard, the
 * clock by each orchestrator for itself. Where nobody measures, nothing is asked.
 */
import type { ServerFigures } from "../core/figures.js";
import type { Clock, Subscription } from "../core/ports.js";
import { type OrchestratorTelemetry, silentTelemetry } from "../core/telemetry.js";
import type { Logger } from "../runtime/log.js";

const EVERY_MS = 5_000;
/** The first time, when the terms have begun. */
const FIRST_MS = 500;

export interface SurveyorPorts {
  clock: Clock;
  figures: ServerFigures;
  telemetry: OrchestratorTelemetry;
  log: Logger;
}

export class Surveyor implements Subscription {
  readonly #ports: SurveyorPorts;
  readonly #isMine: () => boolean;
  #wasMine = false;
  #cancel: () => void = () => {};
  #stopped = false;

  constructor(ports: SurveyorPorts, isMine: () => boolean) {
    this.#ports = ports;
    this.#isMine = isMine;
  }

  start(): this {
    if (this.#ports.telemetry !== silentTelemetry) this.#runAfter(FIRST_MS);
    return this;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    this.#forget();
  }

  async runOnce(): Promise<void> {
    const { figures, telemetry, log } = this.#ports;
    try {
      telemetry.clockMeasured(await figures.clockOffset());
      if (!this.#isMine()) return this.#forget();
      const [queues, deadLetters] = [await figures.queues(), await figures.deadLetters()];
      if (this.#stopped) return;
      this.#wasMine = true;
      telemetry.surveyed({ queues, deadLetters });
    } catch (error) {
      log.debug({ error: (error as Error).message }, "the server was not surveyed: tried again");
    }
  }

  /** What another counts from now on is no longer told here. */
  #forget(): void {
    if (this.#wasMine) this.#ports.telemetry.surveyed(null);
    this.#wasMine = false;
  }

  #runAfter(ms: number): void {
    this.#cancel = this.#ports.clock.after(ms, async () => {
      await this.runOnce();
      if (!this.#stopped) this.#runAfter(EVERY_MS);
    });
  }
}
