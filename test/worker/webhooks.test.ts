/** What is posted to a webhook, and what is said of it when it fails: never the URL, never the secret. */

import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished, test } from "vitest";
import { webhookHandler } from "../../src/worker/webhooks/handler.js";
import { type AlertOptions, webhooksOf } from "../../src/worker/webhooks/options.js";
import { signatureOf } from "../../src/worker/webhooks/signature.js";
import { HandClock, Journal, jobContext, RUN_ID } from "./support.js";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const alert = { id: "nightly/schedule.a/…/raised", rule: "nightly", text: "it fails" };

async function serve(answer: (response: ServerResponse) => void) {
  const seen: { headers: IncomingHttpHeaders; body: string }[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    seen.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
    answer(response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url: `http://${host}/services/T0K3N?key=hidden`, host, seen };
}

function handling(webhook: { url: string; secret?: string }, clock = new HandClock(new Journal())) {
  const webhooks = webhooksOf({ webhooks: [webhook] });
  const handler = webhookHandler(webhooks, clock);
  return { clock, post: () => handler(jobContext({ webhook: webhooks[0]?.id, alert })) };
}

test("a signature is that of Standard Webhooks: their own example", () => {
  const [webhook] = webhooksOf({ webhooks: [{ url: "https://example.com/", secret: SECRET }] });
  const id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
  expect(signatureOf(webhook?.key as Uint8Array, id, 1_614_265_330, '{"test": 2432232314}')).toBe(
    "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  );
});

test("an alert is posted as JSON, with its id, the time, and a signature of both and the body", async () => {
  const { url, seen } = await serve((response) => response.writeHead(204).end());
  expect(await handling({ url, secret: SECRET }).post()).toEqual({ status: 204 });
  const [{ headers, body }] = seen as [(typeof seen)[number]];
  expect(JSON.parse(body)).toEqual(alert);
  const key = Buffer.from(SECRET.slice("whsec_".length), "base64");
  const at = Date.UTC(2026, 0, 1) / 1_000;
  expect(headers).toMatchObject({
    "content-type": "application/json",
    "webhook-id": RUN_ID,
    "webhook-timestamp": String(at),
    "webhook-signature": signatureOf(key, RUN_ID, at, body),
  });
});

test("without a secret it is not signed", async () => {
  const { url, seen } = await serve((response) => response.end());
  await handling({ url }).post();
  expect(seen[0]?.headers).not.toHaveProperty("webhook-signature");
});

describe("a failure is retried, and names the host alone", () => {
  it.each([500, 404, 429])("status %i", async (status) => {
    const { url, host } = await serve((response) => response.writeHead(status).end("T0K3N"));
    await expect(handling({ url, secret: SECRET }).post()).rejects.toThrow(
      new Error(`webhook at ${host}: status ${status}`),
    );
  });

  it("a redirect, which is not followed", async () => {
    const { url, host, seen } = await serve((response) => response.writeHead(302, { location: "/" }).end());
    await expect(handling({ url }).post()).rejects.toThrow(
      `webhook at ${host}: status 302: redirects are not followed`,
    );
    expect(seen).toHaveLength(1);
  });

  it("nobody listens", async () => {
    const error: unknown = await Promise.resolve(handling({ url: "http://127.0.0.1:1/T0K3N" }).post()).catch(
      (thrown: unknown) => thrown,
    );
    expect(String(error)).toMatch(/^Error: webhook at 127\.0\.0\.1:1: /);
    expect(String(error)).not.toContain("T0K3N");
  });

  it("no answer within ten seconds", async () => {
    const { url, seen } = await serve(() => {});
    const { post, clock } = handling({ url });
    const posted = expect(post()).rejects.toThrow("no answer within 10000 ms");
    while (seen.length === 0) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(10_000);
    await posted;
  });

  it("a webhook that only another orchestrator knows", async () => {
    const handler = webhookHandler([], new HandClock(new Journal()));
    await expect(handler(jobContext({ webhook: "ab12", alert }))).rejects.toThrow(
      "webhook ab12 is not among those of this orchestrator",
    );
  });
});

describe("options", () => {
  it("a secret may come without its prefix; a URL has a stable id that does not tell it", () => {
    const read = (secret: string) => webhooksOf({ webhooks: [{ url: "https://example.com/a", secret }] })[0];
    expect(read(SECRET.slice(6))).toEqual(read(SECRET));
    expect(read(SECRET)).toMatchObject({ host: "example.com", id: expect.stringMatching(/^[0-9a-f]{16}$/) });
    expect(webhooksOf(undefined)).toEqual([]);
  });

  it.each<[unknown, string]>([
    [{ webhooks: [{}] }, "alerts: webhooks[0].url: expected an http or https URL"],
    [{ webhooks: [{ url: "T0K3N" }] }, "webhooks[0].url: expected an http or https URL"],
    [{ webhooks: [{ url: "ftp://T0K3N" }] }, "webhooks[0].url: expected an http or https URL"],
    [
      { webhooks: [{ url: "https://me:T0K3N@a" }] },
      "webhooks[0].url: expected an http or https URL without user",
    ],
    [
      { webhooks: [{ url: "https://a", secret: "T0K3N" }] },
      'webhooks[0].secret: expected "whsec_" and 16 to 64 bytes',
    ],
    [{ webhooks: [{ url: "https://a", secret: 7 }] }, 'webhooks[0].secret: expected "whsec_"'],
    [
      { webhooks: [{ url: "https://a", secret: "T0K3N not base64 at all, but quite long" }] },
      "webhooks[0].secret",
    ],
    [
      { webhooks: [{ url: "https://a/T0K3N" }, { url: "https://a/T0K3N" }] },
      "webhooks: expected each URL once",
    ],
    [{ webhooks: [{ url: "https://a", header: "T0K3N" }] }, 'webhooks[0]: unknown field "header"'],
    [{ webhook: [] }, 'unknown field "webhook"'],
  ])("%j are refused, without what came", (options, message) => {
    const refused = () => webhooksOf(options as AlertOptions);
    expect(refused).toThrow(message);
    expect(refused).not.toThrow("T0K3N");
  });
});
