import { createHmac } from "node:crypto";

/** By Standard Webhooks (https://www.standardwebhooks.com): HMAC-SHA256 of `<id>.<timestamp>.<body>`. */
export function signatureOf(key: Uint8Array, id: string, timestamp: number, body: string): string {
  return `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64")}`;
}
