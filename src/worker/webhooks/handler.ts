/** Posts an alert to a webhook: the handler of the queue of alerts. */
import type { Clock } from "../../core/ports.js";
import { alertJob } from "../../protocol/alert-api.js";
import type { Handler, JobContext } from "../context.js";
import { reasonOf, startOf, withTimeout } from "../fetching.js";
import { readyMade } from "../ready-made.js";
import type { Webhook } from "./options.js";
import { signatureOf } from "./signature.js";

const TIMEOUT_MS = 10_000;
/** Read of an answer that nobody looks at, so that its connection can be used again, in bytes. */
const DRAIN_BYTES = 65_536;

/**
 * A status of 200 to 299 is success; all else, also a redirect, and no answer within ten seconds, is tried again. Errors
 * are kept with the run, so they name the host alone: a path or a query may be a secret.
 */
export function webhookHandler(webhooks: readonly Webhook[], clock: Clock): Handler {
  return readyMade(alertJob, async ({ webhook: id, alert }, job) => {
    const webhook = webhooks.find((one) => one.id === id);
    // Another orchestrator may know it.
    if (webhook === undefined) throw new Error(`webhook ${id} is not among those of this orchestrator`);
    const body = JSON.stringify(alert);
    return withTimeout(TIMEOUT_MS, job.signal, clock, (signal) =>
      post(webhook, { job, body, signal, at: clock.now() }),
    );
  });
}

interface Post {
  job: JobContext;
  body: string;
  signal: AbortSignal;
  at: number;
}

async function post(
  { url, host, key }: Webhook,
  { job, body, signal, at }: Post,
): Promise<{ status: number }> {
  const timestamp = Math.floor(at / 1_000);
  const headers: Record<string, string> = {
    "content-type": "application/json",
    "webhook-id": job.runId,
    "webhook-timestamp": String(timestamp),
  };
  if (key !== null) headers["webhook-signature"] = signatureOf(key, job.runId, timestamp, body);
  const init = { method: "POST", headers, body, signal, redirect: "manual" } as const;
  const response = await fetch(url, init).catch((error: unknown) => {
    throw signal.aborted ? signal.reason : new Error(`webhook at ${host}: ${reasonOf(error)}`);
  });
  const { status } = response;
  await startOf(response, DRAIN_BYTES);
  if (status >= 200 && status < 300) return { status };
  const isRedirect = status >= 300 && status < 400;
  throw new Error(`webhook at ${host}: status ${status}${isRedirect ? ": redirects are not followed" : ""}`);
}
