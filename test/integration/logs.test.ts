/** What is logged, at every level: the ids of what a line is about, and never a payload or a secret. */
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { connect } from "../../src/connect.js";
import { until } from "../support/scene.js";
import { freshNamespace, Stage, serverOf } from "../support/stage.js";

const server = serverOf();
const MARK = "s3cr3t-payload";

/** Everything that is logged. */
async function logged() {
  const lines: string[] = [];
  const log = pino({ level: "trace", base: null }, { write: (line) => void lines.push(line) });
  const stage = await Stage.open(server(), { log });
  const orchestrator = await stage.punctual.orchestrate();
  onTestFinished(() => orchestrator.stop());
  await until(() => expect(orchestrator.held).toHaveLength(2));
  const saying = (text: string) =>
    until(() => {
      const found = lines.map((line) => JSON.parse(line)).find(({ msg }) => msg === text);
      expect(found, lines.join("")).toBeDefined();
      return found as Record<string, unknown>;
    });
  return { stage, lines, saying };
}

test("a job that fails, and one whose payload is refused, are told by their ids alone", async () => {
  const { stage, lines, saying } = await logged();
  await stage.work("mail", { schema: z.object({ to: z.string(), pages: z.int() }) }, () => {
    throw new Error("the server is down");
  });
  await stage.client.enqueue({
    queue: "mail",
    payload: { to: MARK, pages: 1 },
    retry: { maxAttempts: 2, initialDelay: 1 },
  });
  expect(await saying("an attempt failed")).toMatchObject({
    runId: expect.any(String),
    error: "the server is down",
  });
  await saying("a job went to the dead letters");
  lines.length = 0;
  await stage.client.enqueue({ queue: "mail", payload: { to: MARK, pages: `${MARK}-too` }, jobId: "typed" });
  const refused = await saying("a job went to the dead letters");
  expect(refused).toMatchObject({ runId: "typed", reason: "invalid payload", fields: ["pages"] });
  lines.length = 0;
  await stage.js.publish(stage.names.job("mail", "raw"), `${MARK} is no JSON`);
  expect(await saying("a job went to the dead letters")).toMatchObject({ reason: "invalid payload" });
  expect(lines.join("")).not.toContain(MARK);
});

test("a schedule's runs have its id on their lines, and a definition that cannot be read is not shown", async () => {
  const { stage, lines, saying } = await logged();
  await stage.work("mail", {}, () => {
    throw new Error("no");
  });
  const retry = { maxAttempts: 1 };
  await stage.client.schedules.put("often", { every: 200, queue: "mail", payload: { to: MARK }, retry });
  expect(await saying("a job went to the dead letters")).toMatchObject({ scheduleId: "often" });
  await stage.js.publish(`$KV.${stage.names.schedules.bucket}.0.broken`, `{"payload":"${MARK}`);
  const broken = await saying("a stored schedule cannot be read: it never fires");
  expect(broken).toMatchObject({ scheduleId: "broken", error: expect.stringContaining("expected JSON") });
  expect(lines.join("")).not.toContain(MARK);
});

test("a password is in no line and in no error", async () => {
  const { port } = new URL(server().url.replace("nats:", "http:"));
  const lines: string[] = [];
  const log = pino({ level: "trace" }, { write: (line) => void lines.push(line) });
  const servers = `nats://anna:${MARK}@127.0.0.1:${Number(port) === 1 ? 2 : 1}`;
  const error = await connect({ servers, namespace: freshNamespace(), log }).catch((cause) => cause);
  expect(error).toMatchObject({ code: "unavailable" });
  expect(`${error.message}${lines.join("")}`).not.toContain(MARK);
});
