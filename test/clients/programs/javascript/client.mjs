// Punctual from JavaScript, with nats 2.x and nothing else: client.mjs enqueue | later | schedule | work | urgent | dead
import { setTimeout as sleep } from "node:timers/promises";
import { connect, headers, JSONCodec } from "nats";

class NoSuchAddress extends Error {}
class MailServerDown extends Error {}

const json = JSONCodec();
const tell = (facts) => console.log(JSON.stringify(facts));

function headersOf(values) {
  const made = headers();
  for (const [name, value] of Object.entries(values)) made.set(name, value);
  return made;
}

async function enqueue(js) {
  // region enqueue
  // Through the front door; options are headers.
  const options = headersOf({ "Punctual-Max-Attempts": "3", "X-Tenant": "acme" });
  const welcome = { msgID: "welcome-ada", headers: options };
  await js.publish("punctual.enqueue.emails", json.encode({ to: "ada" }), welcome);
  await js.publish("punctual.enqueue.emails", json.encode({ to: "bob" }));

  // Straight to the queue, under an id of your own.
  await js.publish("punctual.work.emails.invoice-7", json.encode({ to: "cyd" }));
  // endregion

  const again = await js.publish("punctual.enqueue.emails", json.encode({ to: "ada" }), welcome);
  tell({ duplicate: again.duplicate });
  await js.publish("punctual.work.emails.invoice-7", json.encode({ to: "cyd" })).catch((error) => {
    // This client takes every 503 for "no JetStream" (`error.code`), and keeps what the server said.
    tell({ refused: error.chainedError?.message ?? error.message });
  });
}

async function later(js) {
  // region later
  const inTwoSeconds = headersOf({ "Punctual-Delay": "2s" });
  await js.publish("punctual.enqueue.emails", json.encode({ to: "ada" }), { headers: inTwoSeconds });

  const at = new Date(Date.now() + 2_000).toISOString();
  const then = headersOf({ "Punctual-At": at });
  await js.publish("punctual.enqueue.emails", json.encode({ to: "bob" }), { headers: then });
  // endregion
  tell({ at });
}

async function schedule(nc) {
  // region schedule
  const put = (id, schedule) =>
    nc.request("punctual.api.schedule.put", json.encode({ id, schedule }), { timeout: 5_000 });

  const reply = await put("hello", { every: "1s", queue: "emails", payload: { to: "ada" } });
  // endregion

  const wrong = await put("wrong", { cron: "61 * * * *", queue: "emails" });
  for (const answer of [reply, wrong]) {
    tell({ answer: answer.json(), error: answer.headers?.get("Nats-Service-Error-Code") || null });
  }
}

/** Pretends to send an email, and fails, takes long or hangs as the email asks for. */
async function send(message) {
  const mail = message.json();
  const attempt = message.info.redeliveryCount;
  tell({ to: mail.to, attempt, runId: message.headers?.get("Punctual-Run-Id") || null });
  if (mail.to === "nobody") throw new NoSuchAddress();
  if (attempt <= (mail.fails ?? 0)) throw new MailServerDown();
  if (attempt <= (mail.hangs ?? 0)) await new Promise(() => {});
  for (let second = 0; second < (mail.seconds ?? 0); second++) {
    await sleep(1_000);
    message.working(); // the ack wait begins anew
  }
}

async function work(js) {
  // region work
  const queue = await js.consumers.get("PUNCTUAL_WORK", "work-emails");
  while (true) {
    const message = await queue.next({ expires: 30_000 });
    if (message === null) continue; // there is nothing to do
    try {
      await send(message);
      message.ack();
    } catch (error) {
      if (error instanceof NoSuchAddress)
        message.term(); // never again
      else message.nak(1_000); // again in a second
    }
  }
  // endregion
}

/** The lane of urgent jobs has a consumer of its own. */
async function urgent(js) {
  const queue = await js.consumers.get("PUNCTUAL_WORK", "high-emails");
  for (;;) {
    const message = await queue.next({ expires: 30_000 });
    if (message === null) continue;
    tell({ to: message.json().to, subject: message.subject });
    message.ack();
  }
}

/** Dead letters are looked at and retried through the API. */
async function dead(nc) {
  const ask = async (endpoint, request) => {
    const answer = await nc.request(`punctual.api.${endpoint}`, json.encode(request), { timeout: 5_000 });
    const error = answer.headers?.get("Nats-Service-Error-Code") || null;
    tell({ answer: answer.json(), error });
    return answer.json();
  };
  const { letters } = await ask("dead.list", { filter: { queue: "emails" } });
  const { id } = letters[0];
  await ask("dead.get", { id });
  await ask("dead.retry", { id, author: "client.mjs" });
  await ask("dead.retry", { id });
}

const nc = await connect({ servers: process.env.NATS_URL ?? "nats://127.0.0.1:4222" });
const command = { enqueue, later, work, urgent, schedule: () => schedule(nc), dead: () => dead(nc) }[
  process.argv[2]
];
await command(nc.jetstream());
await nc.drain();
