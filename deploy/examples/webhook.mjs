// A receiver of alerts: WEBHOOK_SECRET=whsec_… node deploy/examples/webhook.mjs
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

/** Whether a request was signed with the secret, at most five minutes ago. `body` is the text as it came. */
export function isSigned(headers, body, secret, now = Date.now()) {
  const { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": given = "" } = headers;
  if (!(Math.abs(now / 1000 - Number(timestamp)) <= 300)) return false;
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const expected = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest();
  const signatures = given.split(" ").map((one) => Buffer.from(one.replace(/^v1,/, ""), "base64"));
  return signatures.some((one) => one.length === expected.length && timingSafeEqual(one, expected));
}

if (process.argv[1] === import.meta.filename)
  createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += chunk;
    const isOurs = isSigned(request.headers, body, process.env.WEBHOOK_SECRET);
    if (isOurs) console.log(request.headers["webhook-id"], JSON.parse(body).state, JSON.parse(body).text);
    response.writeHead(isOurs ? 204 : 401).end();
  }).listen(process.env.PORT ?? 8080);
