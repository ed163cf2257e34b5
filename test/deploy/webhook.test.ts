/** The receiver in `deploy/examples` takes what orchestrators send, and nothing else. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { signatureOf } from "../../src/worker/webhooks/signature.js";

const file = join(import.meta.dirname, "../../deploy/examples/webhook.mjs");
const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NOW = Date.UTC(2026, 0, 1);

type IsSigned = (headers: Record<string, string>, body: string, secret: string, now: number) => boolean;

test("a signature counts for its body, its id, its time and its secret", async () => {
  const { isSigned } = (await import(pathToFileURL(file).href)) as { isSigned: IsSigned };
  const key = Buffer.from(SECRET.slice(6), "base64");
  const headers = {
    "webhook-id": "alert-1",
    "webhook-timestamp": String(NOW / 1_000),
    "webhook-signature": signatureOf(key, "alert-1", NOW / 1_000, "{}"),
  };
  expect(isSigned(headers, "{}", SECRET, NOW)).toBe(true);
  const several = { ...headers, "webhook-signature": `v1,AAAA ${headers["webhook-signature"]}` };
  expect(isSigned(several, "{}", SECRET, NOW + 300_000)).toBe(true);
  expect(isSigned(headers, "{}", SECRET, NOW + 301_000)).toBe(false);
  expect(isSigned(headers, "{ }", SECRET, NOW)).toBe(false);
  expect(isSigned({ ...headers, "webhook-id": "alert-2" }, "{}", SECRET, NOW)).toBe(false);
  expect(isSigned(headers, "{}", "whsec_AAAAAAAAAAAAAAAAAAAAAAAA", NOW)).toBe(false);
  expect(isSigned({}, "{}", SECRET, NOW)).toBe(false);
});
