/** Webhooks that alerts are sent to. Neither a secret nor a URL, which may hold one, is ever stored, sent or told of. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { parseWith } from "../../protocol/parse.js";

const URLS = "expected an http or https URL without user and password, got another text";
const SECRETS =
  'expected "whsec_" and 16 to 64 bytes in base64, as `openssl rand -base64 32` makes them, got another text';
const PREFIX = "whsec_";

const webhook = z.strictObject({
  url: z
    .string({ error: URLS })
    .refine(isUrl, { error: URLS })
    .describe("Where each alert is posted as JSON: http or https."),
  secret: z
    .string({ error: SECRETS })
    .refine((text) => keyOf(text) !== null, { error: SECRETS })
    .optional()
    .describe("What requests are signed with, by Standard Webhooks. Default: they are not signed."),
});

export const alertOptions = z.strictObject({
  webhooks: z
    .array(webhook)
    .max(20)
    .default([])
    .refine((list) => new Set(list.map(({ url }) => url)).size === list.length, {
      error: "expected each URL once, got one twice",
    })
    .describe("The same for all orchestrators of a namespace: any of them delivers. Default none."),
});

export type AlertOptions = z.input<typeof alertOptions>;

export interface Webhook {
  /** Stands for the URL in jobs. */
  id: string;
  url: string;
  /** For people: the URL's host. */
  host: string;
  /** What requests are signed with; null: they are not. */
  key: Uint8Array | null;
}

/** @throws invalid, without what came */
export function webhooksOf(options: AlertOptions | undefined): Webhook[] {
  const { webhooks } = parseWith(alertOptions, options ?? {}, "alerts");
  return webhooks.map(({ url, secret }) => ({
    id: createHash("sha256").update(url).digest("hex").slice(0, 16),
    url,
    host: new URL(url).host,
    key: secret === undefined ? null : keyOf(secret),
  }));
}

function isUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isHttp = url?.protocol === "http:" || url?.protocol === "https:";
  return isHttp && url.username === "" && url.password === "";
}

/** The prefix may be left out, as the reference implementations have it. */
function keyOf(secret: string): Uint8Array | null {
  const base64 = secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret;
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return null;
  const key = Buffer.from(base64, "base64");
  return key.length >= 16 && key.length <= 64 ? key : null;
}
