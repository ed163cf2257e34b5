/** Alerts that are posted to a URL, through Punctual itself, on a real server and to a real one. */

import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { hear, statesOf } from "../../support/alerts.js";
import { hook } from "../../support/hook.js";
import { until } from "../../support/scene.js";
import { expectRefusal, Stage, serverOf } from "../../support/stage.js";

const server = serverOf();
const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/** A stage, and what its log lines were. */
async function staged() {
  const lines: string[] = [];
  const log = pino({ level: "trace" }, { write: (line: string) => void lines.push(line) });
  const stage = await Stage.open(server(), { log });
  return { stage, lines, heard: await hear(stage), client: stage.client };
}

async function orchestrate(stage: Stage, ...urls: string[]) {
  const webhooks = urls.map((url) => ({ url, secret: SECRET }));
  const orchestrator = await stage.punctual.orchestrate({ alertEvery: 100, alerts: { webhooks } });
  onTestFinished(() => orchestrator.stop());
  return orchestrator;
}

const accepted = (calls: Awaited<ReturnType<typeof hook>>["calls"]) =>
  calls.filter(({ status }) => status === 200);

/** Everything that lies in the streams and buckets of a namespace, as one text. */
async function everything(stage: Stage): Promise<string> {
  const found: string[] = [];
  for await (const { config } of stage.jsm.streams.list()) {
    if (!config.name.toLowerCase().includes(stage.names.namespace)) continue;
    for (const message of await stage.messages(config.name))
      found.push(`${message.subject} ${message.header} ${message.string()}`);
  }
  return found.join("\n");
}

test("each transition is posted, signed, tried again until it is accepted, and accepted once; secrets are nowhere", async () => {
  const { stage, lines, heard, client } = await staged();
  const { url, calls } = await hook(SECRET, [500, 500]);
  await orchestrate(stage, url);
  await client.alerts.put("deep", { kind: "queue-deep", over: 0, queues: ["mail"] });
  await client.enqueue({ queue: "mail", payload: 1 });
  await until(() => expect(calls.length).toBeGreaterThan(0));
  const waiting = await everything(stage);
  await until(() => expect(calls.map(({ status }) => status)).toEqual([500, 500, 200]));
  expect(new Set(calls.map(({ id }) => id)).size).toBe(1);
  await stage.attempts("mail");
  await until(() => expect(accepted(calls)).toHaveLength(2));
  expect(calls.every(({ isSigned }) => isSigned)).toBe(true);
  expect(accepted(calls).map(({ alert }) => alert)).toEqual(heard);
  expect(statesOf(heard)).toEqual(["raised", "over"]);
  await stage.workIsEmpty();
  const all = waiting + (await everything(stage)) + lines.join("");
  for (const told of ["work.punctual-alerts.alert-", '"webhook":', "status 500", "1 job waits"])
    expect(all).toContain(told);
  for (const secret of [SECRET, SECRET.slice(6), "T0K3N"]) expect(all).not.toContain(secret);
});

test("with two orchestrators and two webhooks each is called once, whoever finds and whoever dies", async () => {
  const { stage, heard, client } = await staged();
  const [a, b] = [await hook(SECRET), await hook(SECRET)];
  const first = await orchestrate(stage, a.url, b.url);
  await orchestrate(stage, a.url, b.url);
  await client.alerts.put("deep", { kind: "queue-deep", over: 0, queues: ["mail"] });
  await client.enqueue({ queue: "mail", payload: 1 });
  await until(() =>
    expect([accepted(a.calls), accepted(b.calls)].map((calls) => calls.length)).toEqual([1, 1]),
  );
  await first.stop();
  await stage.attempts("mail");
  await until(() =>
    expect([accepted(a.calls), accepted(b.calls)].map((calls) => calls.length)).toEqual([2, 2]),
  );
  await stage.workIsEmpty();
  expect([a.calls.length, b.calls.length]).toEqual([2, 2]);
  expect(statesOf(heard)).toEqual(["raised", "over"]);
});

test("that alerts do not arrive is told to those who listen, and is no alert that does not arrive", async () => {
  const { stage, heard, client } = await staged();
  const { url, calls } = await hook(SECRET, Array(100).fill(503));
  await orchestrate(stage, url);
  await client.alerts.put("slow", { kind: "queue-deep", olderThan: "1s" });
  await client.enqueue({ queue: "mail", payload: 1 });
  await until(() => expect(heard.map(({ queue }) => queue).sort()).toEqual(["mail", "punctual-alerts"]));
  expect(new Set(calls.map(({ alert }) => alert.queue))).toEqual(new Set(["mail"]));
  const view = await client.queues.get("punctual-alerts");
  expect(view.queued + view.running).toBeLessThanOrEqual(1);
});

test("a webhook that is none is refused before anything is started", async () => {
  const { stage } = await staged();
  const start = (webhook: object) => stage.punctual.orchestrate({ alerts: { webhooks: [webhook as never] } });
  await expectRefusal(
    start({ url: "nowhere" }),
    "invalid",
    /webhooks\[0\].url: expected an http or https URL/,
  );
  await expectRefusal(start({ url: "http://a", secret: "x" }), "invalid", /webhooks\[0\].secret: expected/);
  expect(await stage.punctual.members()).toEqual([]);
});
