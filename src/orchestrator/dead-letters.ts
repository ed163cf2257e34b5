/**
 * Dead letters for bare workers. A message at its delivery limit stays in WORK, invisible to the consumer, and
 * blocks its subject for ever; the server says so once, in an advisory that RUNS keeps.
 */
import { z } from "zod";
import { messageOf, PunctualError } from "../core/errors.js";
import type {
  DeadLetters,
  Delivery,
  DeliverySource,
  RunLog,
  Subscription,
  WorkStream,
} from "../core/ports.js";
import type { OrchestratorTelemetry } from "../core/telemetry.js";
import { parseJson, parseWith } from "../protocol/parse.js";
import { runIdOfMessage } from "../protocol/run-id.js";
import { parseJobSubject } from "../protocol/subjects.js";
import type { Logger } from "../runtime/log.js";

const advisory = z.object({ stream_seq: z.int().min(1), deliveries: z.int().min(0) });

export interface DeadLetterPorts {
  advisories: DeliverySource;
  work: WorkStream;
  runs: RunLog;
  dead: DeadLetters;
  log: Logger;
  telemetry: OrchestratorTelemetry;
}

const RETRY_MS = 1_000;
const REASON = "delivery limit reached";
/** Of those of which nothing was heard. */
export const STUCK_REASON = "delivery limit reached, or acknowledged before a crash of the server";

export class DeadLetterKeeper {
  readonly #ports: DeadLetterPorts;

  constructor(ports: DeadLetterPorts) {
    this.#ports = ports;
  }

  start(): Promise<Subscription> {
    return this.#ports.advisories.consume({
      concurrency: 64,
      onDelivery: (delivery) => this.#onAdvisory(delivery),
      onNotice: (text) => this.#ports.log.debug({ notice: text }, "dead letters"),
    });
  }

  async #onAdvisory(delivery: Delivery): Promise<void> {
    try {
      const text = new TextDecoder().decode(delivery.body);
      const what = "a max-deliveries advisory";
      const { stream_seq, deliveries } = parseWith(advisory, parseJson(text, what), what);
      await this.move(stream_seq, deliveries);
      delivery.ack();
    } catch (error) {
      if (error instanceof PunctualError && error.code === "invalid") return this.#giveUp(delivery, error);
      this.#ports.log.warn({ error: messageOf(error) }, "a dead letter could not be moved: tried again");
      delivery.nak(RETRY_MS);
    }
  }

  /** Not the server's: it stays what it is, however often it is read. */
  #giveUp(delivery: Delivery, error: PunctualError): void {
    this.#ports.log.warn({ error: error.message }, "an advisory cannot be read");
    delivery.term(error.message);
  }

  /** Copies to DEAD, tells RUNS, removes from WORK, in this order: a crash in between repeats, and loses nothing. */
  async move(seq: number, attempts: number, reason = REASON): Promise<void> {
    const { work, dead, runs, telemetry } = this.#ports;
    const message = await work.at(seq);
    const place = message === null ? null : parseJobSubject(message.subject);
    if (message === null || place === null) return;
    const { subject, headers, body } = message;
    await dead.bury({ queue: place.queue, subject, seq, headers, body, reason, attempts });
    const runId = runIdOfMessage(message);
    const data = { attempt: attempts, reason };
    await runs.append({ runId, type: "dead", msgId: `${runId}/dead/${seq}`, data });
    await work.remove(seq);
    telemetry.buried(place.queue, reason);
  }
}
