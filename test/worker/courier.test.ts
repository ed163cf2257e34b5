/** An alert is handed to Punctual itself: a job for each webhook, and one only, however often it is sent. */
import { expect, test } from "vitest";
import { type Alert, OF_NOTHING } from "../../src/core/alert.js";
import { headers as h } from "../../src/protocol/headers.js";
import { ManualClock, MemoryServer, openMemoryPorts } from "../../src/testing/index.js";
import { WebhookCourier } from "../../src/worker/webhooks/courier.js";
import { webhooksOf } from "../../src/worker/webhooks/options.js";
import { START } from "../contract/given.js";

const alert: Alert = {
  ...OF_NOTHING,
  id: "deep/queue.mail/2026-01-01T00:00:00.000Z/raised",
  rule: "deep",
  kind: "queue-deep",
  state: "raised",
  queue: "mail",
  since: START,
  at: START,
  text: "deep",
  data: {},
};

function world(...urls: string[]) {
  const clock = new ManualClock(START);
  const server = new MemoryServer({ clock });
  const webhooks = webhooksOf({ webhooks: urls.map((url) => ({ url })) });
  const courier = () => new WebhookCourier({ ...openMemoryPorts(server), clock }, webhooks);
  const jobs = () => [...server.work.subjects()].map((subject) => server.work.last(subject));
  return { clock, server, courier, jobs };
}

test("a job for each webhook, with ten attempts; it says what, and not where to", async () => {
  const { courier, jobs } = world("https://a.example/T0K3N", "https://b.example/T0K3N");
  await courier().send(alert);
  const stored = jobs();
  expect(stored).toHaveLength(2);
  for (const job of stored) {
    expect(job?.subject).toMatch(/^punctual\.work\.punctual-alerts\.alert-[0-9a-f]{32}$/);
    expect(job?.headers).toMatchObject({ [h.maxAttempts]: "10", [h.backoff]: "2000,3,600000" });
    const text = new TextDecoder().decode(job?.body);
    expect(text).not.toMatch(/T0K3N|example/);
    const told = { ...alert, since: "2026-01-01T00:00:00.000Z", at: "2026-01-01T00:00:00.000Z" };
    expect(JSON.parse(text)).toEqual({ webhook: expect.any(String), alert: told });
  }
});

test("sent again, by anyone, at any time, it is one job; its end is another", async () => {
  const { clock, server, courier, jobs } = world("https://a.example/");
  await courier().send(alert);
  await courier().send(alert);
  expect(jobs()).toHaveLength(1);
  server.work.remove(jobs()[0]?.seq as number);
  server.forget();
  await clock.pass(600_000);
  await courier().send(alert);
  expect(jobs()).toEqual([]);
  await courier().send({ ...alert, id: alert.id.replace("raised", "over"), state: "over" });
  expect(jobs()).toHaveLength(1);
});

test("alerts about the queue of alerts are not sent", async () => {
  const { courier, jobs } = world("https://a.example/");
  await courier().send({ ...alert, queue: "punctual-alerts" });
  expect(jobs()).toEqual([]);
});

test("where somebody allows fewer attempts, so it is", async () => {
  const { server, courier, jobs } = world("https://a.example/");
  await openMemoryPorts(server).queues.ensure("punctual-alerts", { maxAttempts: 3 });
  await courier().send(alert);
  expect(jobs()[0]?.headers).toMatchObject({ [h.maxAttempts]: "3" });
});
