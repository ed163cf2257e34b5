/** Somebody who is called by webhooks: answers as told, and keeps what came. */
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import type { Heard } from "./alerts.js";

export interface Call {
  /** What it was answered. */
  status: number;
  id: string;
  alert: Heard;
  isSigned: boolean;
}

/** @param statuses of the first answers; then 200 */
export async function hook(secret: string, statuses: number[] = []) {
  const calls: Call[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const status = statuses.shift() ?? 200;
    const header = (name: string) => String(request.headers[`webhook-${name}`]);
    // As a receiver does it, see deploy/webhook.md.
    const key = Buffer.from(secret.replace("whsec_", ""), "base64");
    const signed = `${header("id")}.${header("timestamp")}.${body}`;
    const expected = `v1,${createHmac("sha256", key).update(signed).digest("base64")}`;
    const isSigned = header("signature") === expected;
    calls.push({ status, id: header("id"), alert: JSON.parse(body) as Heard, isSigned });
    response.writeHead(status).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/services/T0K3N`, calls };
}
