import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { NonRetryableError } from "../../src/worker/errors.js";
import { httpHandler } from "../../src/worker/http.js";
import { Bench, HandClock, Journal, jobContext, RUN_ID } from "./support.js";

interface Seen {
  method: string | undefined;
  url: string | undefined;
  headers: IncomingMessage["headers"];
  body: string;
}

/** A local server that answers as it is told; resolves to its address and what it saw. */
async function serve(
  answer: (response: ServerResponse, seen: Seen) => void,
): Promise<{ url: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method, url, headers } = request;
    seen.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
    answer(response, seen.at(-1) as Seen);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, seen };
}

const ok = (response: ServerResponse): void => void response.end("fine");

test("posts JSON with the run's identity", async () => {
  const { url, seen } = await serve(ok);
  const body = { order: 7 };
  const result = await httpHandler()(jobContext({ url, headers: { "x-shop": "a" }, body }));
  expect(result).toEqual({ status: 200 });
  expect(seen[0]).toMatchObject({ method: "POST", url: "/hook", body: '{"order":7}' });
  expect(seen[0]?.headers).toMatchObject({
    "content-type": "application/json",
    "idempotency-key": RUN_ID,
    "punctual-run-id": RUN_ID,
    "punctual-fire-time": "2026-01-01T00:00:00.000Z",
    "x-shop": "a",
  });
});

test("sends text as it is, and a job's own headers win where they may", async () => {
  const { url, seen } = await serve(ok);
  const headers = { "Content-Type": "text/csv", "Idempotency-Key": "mine", "Punctual-Run-Id": "forged" };
  await httpHandler()(jobContext({ url, method: "PUT", headers, body: "a,b" }, { fireTime: null }));
  expect(seen[0]).toMatchObject({ method: "PUT", body: "a,b" });
  expect(seen[0]?.headers).toMatchObject({
    "content-type": "text/csv",
    "idempotency-key": "mine",
    "punctual-run-id": RUN_ID,
  });
  expect(seen[0]?.headers).not.toHaveProperty("punctual-fire-time");
});

test.each([400, 404, 429, 500, 503])("status %i is a failure, to be tried again", async (status) => {
  const { url } = await serve((response) => void response.writeHead(status).end(`why${"y".repeat(5_000)}`));
  const calling = httpHandler()(jobContext({ url: `${url}?token=secret` })) as Promise<unknown>;
  const error = await calling.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Error);
  expect(error).not.toBeInstanceOf(NonRetryableError);
  const { message } = error as Error;
  expect(message).toMatch(new RegExp(`^POST ${url}: status ${status}: why+y$`));
  expect(message.slice(message.indexOf("why"))).toHaveLength(1_024);
});

test("says why nobody answered", async () => {
  await expect(httpHandler()(jobContext({ url: "http://127.0.0.1:1/" }))).rejects.toThrow(
    /ECONNREFUSED|bad port/,
  );
});

test("follows redirects", async () => {
  const { url, seen } = await serve((response, { url }) =>
    url === "/hook" ? response.writeHead(307, { location: "/moved" }).end() : response.end(),
  );
  await httpHandler()(jobContext({ url, body: { a: 1 } }));
  expect(seen.map(({ url, body }) => [url, body])).toEqual([
    ["/hook", '{"a":1}'],
    ["/moved", '{"a":1}'],
  ]);
});

test("calls allowed hosts only, and lets none of them send it elsewhere", async () => {
  const { url, seen } = await serve(
    (response) => void response.writeHead(302, { location: "http://10.0.0.1/" }).end(),
  );
  const { host } = new URL(url);
  const refused = httpHandler({ allowHosts: ["api.example.com"] })(jobContext({ url }));
  await expect(refused).rejects.toThrow(
    new NonRetryableError(`host ${host} is not allowed here; allowed are api.example.com`),
  );
  expect(seen).toHaveLength(0);
  for (const allowed of [host, "127.0.0.1"]) {
    await expect(httpHandler({ allowHosts: [allowed] })(jobContext({ url }))).rejects.toThrow(
      /status 302: redirects are not/,
    );
  }
});

test("stops when the attempt is aborted", async () => {
  const controller = new AbortController();
  const { url } = await serve(() => controller.abort(new Error("timed out")));
  await expect(httpHandler()(jobContext({ url }, { signal: controller.signal }))).rejects.toThrow(
    "timed out",
  );
});

test("stops at the request's own timeout, also in the middle of the answer", async () => {
  const clock = new HandClock(new Journal());
  const { url } = await serve((response) => {
    response.writeHead(200);
    response.write("begin", () => clock.advance(250));
  });
  await expect(httpHandler({}, clock)(jobContext({ url, timeout: "250ms" }))).rejects.toThrow(
    "no answer within 250 ms",
  );
  expect(clock.pending).toBe(0);
});

test.each([
  [{ url: "ftp://a/b" }, "url: expected an http or https URL"],
  [{ url: "http://me:pw@a/" }, "url: expected a URL without user and password"],
  [{ url: "http://a/", method: "GET", body: 1 }, "body: GET and HEAD have no body"],
  [{ url: "http://a/", headers: { "a b": "c" } }, "headers.a b: expected an HTTP header name"],
  [{ url: "http://a/", headers: { a: "b\r\nc: d" } }, "expected one line"],
  [{ url: "http://a/", retries: 3 }, 'unknown field "retries"'],
])("refuses %j", async (payload, message) => {
  const bench = new Bench();
  await bench.start(httpHandler());
  bench.deliver({ payload });
  await bench.journal.until("term: invalid payload");
  expect(bench.letters[0]?.error).toContain(message);
  await expect(httpHandler()(jobContext(payload))).rejects.toThrow(NonRetryableError);
});

test("refuses a list of hosts that are none", () => {
  expect(() => httpHandler({ allowHosts: ["http://a"] })).toThrow(/allowHosts\[0\]: expected a host/);
});
