/** Hands alerts to Punctual itself, a job for each webhook: so they are tried again, and never forgotten. */
import { createHash } from "node:crypto";
import type { Alert, AlertCourier } from "../../core/alert.js";
import type { QueuedJobs } from "../../core/dead-letter-store.js";
import type { QueueStore } from "../../core/queue.js";
import { encodeAlert } from "../../protocol/alert-api.js";
import { enqueueRequest } from "../../protocol/enqueue-input.js";
import { enqueueMessage } from "../../protocol/enqueue-message.js";
import { ALERT_QUEUE, type Names } from "../../protocol/names.js";
import { Admission, type AdmissionPorts } from "../../runtime/admission.js";
import type { AcceptPorts } from "../../runtime/enqueue.js";
import type { Webhook } from "./options.js";

export interface CourierPorts extends AdmissionPorts, AcceptPorts {
  queues: Pick<QueueStore, "ensure">;
  queuedJobs: QueuedJobs;
  names: Names;
  shards: number;
  maxPayload: number;
  clock: AdmissionPorts["clock"];
}

export const ALERT_ATTEMPTS = 10;
/** Over more than half an hour: 2 s, 6 s, 18 s, … */
const RETRY = { maxAttempts: ALERT_ATTEMPTS, initialDelay: 2_000, factor: 3, maxDelay: 600_000 };
/** The clocks of the server and of orchestrators may differ by so much. */
const CLOCKS_DIFFER_MS = 60_000;

export class WebhookCourier implements AlertCourier {
  readonly #ports: CourierPorts;
  readonly #webhooks: readonly Webhook[];
  readonly #admission: Admission;

  constructor(ports: CourierPorts, webhooks: readonly Webhook[]) {
    this.#ports = ports;
    this.#webhooks = webhooks;
    this.#admission = new Admission(ports);
  }

  async send(alert: Alert): Promise<void> {
    // That alerts do not arrive is told to those who listen, not by more alerts that do not arrive.
    if (alert.queue === ALERT_QUEUE) return;
    for (const webhook of this.#webhooks) await this.#enqueue(alert, webhook);
  }

  async #enqueue(alert: Alert, { id: webhook }: Webhook): Promise<void> {
    const { queues, queuedJobs, names, shards, maxPayload, clock } = this.#ports;
    await queues.ensure(ALERT_QUEUE, { maxAttempts: RETRY.maxAttempts });
    const settings = await this.#admission.settings(ALERT_QUEUE);
    const jobId = jobIdOf(alert.id, webhook);
    const maxAttempts = Math.min(RETRY.maxAttempts, settings.maxAttempts);
    const request = enqueueRequest.parse({
      queue: ALERT_QUEUE,
      jobId,
      payload: { webhook, alert: encodeAlert(alert) },
      retry: { ...RETRY, maxAttempts },
    });
    const newId = () => jobId;
    const job = enqueueMessage(request, { names, shards, now: clock.now(), settings, maxPayload, newId });
    // Whoever told it before may have died before he noted it, longer ago than the server knows ids.
    if (await queuedJobs.has(names.job(ALERT_QUEUE, jobId), jobId, alert.at - CLOCKS_DIFFER_MS)) return;
    await this.#admission.admit(this.#ports, { queue: ALERT_QUEUE }, job);
  }
}

/** The same for the same alert and webhook, and short enough for a subject. */
function jobIdOf(alertId: string, webhook: string): string {
  const hash = createHash("sha256").update(`${alertId} ${webhook}`).digest("hex");
  return `alert-${hash.slice(0, 32)}`;
}
