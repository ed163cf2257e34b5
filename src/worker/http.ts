/** The ready-made worker that calls a URL. */
import { z } from "zod";
import type { Clock } from "../core/ports.js";
import { headers as h } from "../protocol/headers.js";
import { parseWith, show } from "../protocol/parse.js";
import { duration } from "../protocol/time-input.js";
import { systemClock } from "../runtime/clock.js";
import type { Handler, JobContext } from "./context.js";
import { NonRetryableError } from "./errors.js";
import { reasonOf, startOf, withTimeout } from "./fetching.js";
import { readyMade } from "./ready-made.js";

const headerMap = z
  .record(
    z.string(),
    z.string().regex(/^[\t\x20-\x7e\x80-\xff]*$/, { error: "expected one line of Latin-1 characters" }),
  )
  .superRefine((map, context) => {
    const wrong = Object.keys(map).find((name) => !/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(name));
    if (wrong !== undefined)
      context.addIssue({
        code: "custom",
        path: [wrong],
        message: `expected an HTTP header name, got ${show(wrong)}`,
      });
  });

const url = z.string().superRefine((text, context) => {
  const parsed = URL.canParse(text) ? new URL(text) : null;
  const refuse = (message: string) => context.addIssue({ code: "custom", message });
  if (parsed?.protocol !== "http:" && parsed?.protocol !== "https:") refuse("expected an http or https URL");
  else if (parsed.username !== "" || parsed.password !== "")
    refuse("expected a URL without user and password; use the header Authorization");
});

/** What the job says. */
export const httpPayload = z
  .strictObject({
    url: url.describe("http or https."),
    method: z
      .enum(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
      .default("POST")
      .describe("Default POST."),
    headers: headerMap.default({}).describe("Added to the request."),
    body: z.json().optional().describe("A string is sent as it is, anything else as JSON. Default: no body."),
    timeout: duration
      .optional()
      .describe(
        "For the whole request, beside the job's own timeout. Default none; the platform's is 5 min.",
      ),
  })
  .refine(({ method, body }) => body === undefined || (method !== "GET" && method !== "HEAD"), {
    error: "GET and HEAD have no body",
    path: ["body"],
  });

export type HttpPayload = z.input<typeof httpPayload>;
type HttpRequest = z.output<typeof httpPayload>;

export const httpOptions = z.strictObject({
  allowHosts: z
    .array(
      z
        .string()
        .regex(/^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:\d+)?$/, {
          error: "expected a host such as api.example.com, or with its port api.example.com:8443",
        })
        .toLowerCase(),
    )
    .optional()
    .describe(
      "Hosts that jobs may call; without a port, on any. Redirects are failures then. Default: every host.",
    ),
});

export type HttpOptions = z.input<typeof httpOptions>;

/** Kept of the answer to a request that failed, in bytes. */
const EXCERPT_BYTES = 1_024;
/** Read of an answer that nobody looks at, so that its connection can be used again, in bytes. */
const DRAIN_BYTES = 65_536;

/**
 * Calls the URL that the job names, with the headers `Idempotency-Key` (the run id, unless the job sets its own),
 * `Punctual-Run-Id` and `Punctual-Fire-Time`. A status of 400 or more, no answer and a timeout are failures, and
 * are retried. Redirects are followed.
 *
 * @returns a handler whose result is `{status}`
 */
export function httpHandler(options: HttpOptions = {}, clock: Clock = systemClock): Handler {
  const { allowHosts } = parseWith(httpOptions, options, "http worker options");
  return readyMade(httpPayload, async (request, job) => {
    if (allowHosts !== undefined) checkHost(new URL(request.url), allowHosts);
    const redirect = allowHosts === undefined ? "follow" : "manual";
    const what = `${request.method} ${withoutSecrets(request.url)}`;
    return withTimeout(request.timeout, job.signal, clock, (signal) =>
      call({ request, job, redirect, signal, what }),
    );
  });
}

interface Call {
  request: HttpRequest;
  job: JobContext;
  redirect: "follow" | "manual";
  signal: AbortSignal;
  what: string;
}

async function call({ request, job, redirect, signal, what }: Call): Promise<{ status: number }> {
  const { url, method } = request;
  const body = typeof request.body === "string" ? request.body : JSON.stringify(request.body);
  const init = {
    method,
    headers: headersFor(request, job),
    redirect,
    signal,
    ...(body !== undefined && { body }),
  };
  const response = await fetch(url, init).catch((error: unknown) => {
    throw signal.aborted ? signal.reason : new Error(`${what}: ${reasonOf(error)}`, { cause: error });
  });
  const { status } = response;
  if (status < 300 || (status < 400 && redirect === "follow")) {
    await startOf(response, DRAIN_BYTES);
    return { status };
  }
  const excerpt = await startOf(response, EXCERPT_BYTES);
  if (status >= 400) throw new Error(`${what}: status ${status}${excerpt === "" ? "" : `: ${excerpt}`}`);
  throw new Error(`${what}: status ${status}: redirects are not followed where the allowed hosts are listed`);
}

function headersFor({ headers, body }: HttpRequest, job: JobContext): Headers {
  const all = new Headers(headers);
  if (!all.has("content-type") && body !== undefined && typeof body !== "string")
    all.set("content-type", "application/json");
  if (!all.has("idempotency-key")) all.set("idempotency-key", job.runId);
  all.set(h.runId, job.runId);
  if (job.fireTime !== null) all.set(h.fireTime, job.fireTime.toISOString());
  return all;
}

/** Other workers of the queue have the same list, or should: another attempt would not help. */
function checkHost({ host, hostname }: URL, allowHosts: readonly string[]): void {
  if (allowHosts.includes(host) || allowHosts.includes(hostname)) return;
  throw new NonRetryableError(
    `host ${host} is not allowed here; allowed are ${allowHosts.join(", ") || "none"}`,
  );
}

/** Queries carry tokens; error messages are kept and shown. */
function withoutSecrets(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}
