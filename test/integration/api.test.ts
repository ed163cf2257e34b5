/** The API as a program in any language sees it: NATS micro, JSON in, JSON out. */
import { describe, expect, test } from "vitest";
import { endpoints, serviceErrorHeaders } from "../../src/protocol/api.js";
import { version } from "../../src/version.js";
import { until } from "../support/scene.js";
import { expectRefusal, Stage, serverOf } from "../support/stage.js";

const server = serverOf();

async function ask(stage: Stage, endpoint: string, body: string) {
  const message = await stage.raw.request(stage.names.api(endpoint), body, { timeout: 5_000 });
  return {
    status: message.headers?.get(serviceErrorHeaders.code) ?? "",
    text: message.headers?.get(serviceErrorHeaders.text) ?? "",
    body: message.json<Record<string, unknown>>(),
  };
}

describe("an answer", () => {
  test("is plain JSON", async () => {
    const stage = await Stage.orchestrated(server());
    const { status, body } = await ask(stage, "schedule.put", '{"id":"s","schedule":{"every":"1h"}}');
    expect(status).toBe("");
    expect(body).toMatchObject({ id: "s", revision: 1, schedule: { every: "1h", queue: "default" } });
    expect(await ask(stage, "schedule.list", "")).toMatchObject({
      body: { schedules: [{ id: "s" }], next: null },
    });
  });

  const refused: [string, string, string, string, RegExp, string[]][] = [
    ["no JSON", "schedule.get", "{oops", "400", /^schedule\.get: expected JSON, got "\{oops"$/, [""]],
    ["no object", "schedule.get", "[1]", "400", /expected an object/, [""]],
    ["a missing field", "schedule.get", "{}", "400", /^schedule\.get: id: expected a text/, ["id"]],
    [
      "a wrong id",
      "schedule.get",
      '{"id":"a.b"}',
      "400",
      /id: expected 1 to 128 characters .* got "a\.b"/,
      ["id"],
    ],
    ["an unknown field", "schedule.get", '{"id":"a","colour":1}', "400", /unknown field "colour"/, [""]],
    [
      "two wrong fields",
      "schedule.put",
      '{"id":"a","schedule":{"every":"soon","queue":"x y"}}',
      "400",
      /schedule\.every: expected a duration .*; schedule\.queue: expected 1 to 64 characters/,
      ["schedule.every", "schedule.queue"],
    ],
    ["what does not exist", "schedule.get", '{"id":"none"}', "404", /^schedule none does not exist$/, []],
    [
      "a revision that has passed",
      "schedule.put",
      '{"id":"none","schedule":{"every":"1h"},"ifRevision":5}',
      "409",
      /^schedule none does not exist, expected revision 5$/,
      ["ifRevision"],
    ],
    [
      "an unknown endpoint",
      "schedule.paint",
      "{}",
      "404",
      /^schedule\.paint: expected one of schedule\.put, /,
      [],
    ],
    ["a name of every object", "constructor", "{}", "404", /^constructor: expected one of/, []],
  ];
  const codes: Record<string, string> = { "400": "invalid", "404": "not_found", "409": "conflict" };
  for (const [what, endpoint, request, expected, message, paths] of refused) {
    test(`to ${what} is an error: code, message, issues, and the headers of NATS micro`, async () => {
      const stage = await Stage.orchestrated(server());
      const { status, text, body } = await ask(stage, endpoint, request);
      expect(status).toBe(expected);
      expect(body.code).toBe(codes[expected]);
      expect(body.message).toMatch(message);
      expect(text).toBe(body.message);
      expect((body.issues as { path: string }[]).map(({ path }) => path)).toEqual(paths);
      expect(Object.keys(body).sort()).toEqual(["code", "issues", "message"]);
    });
  }

  test("comes to the client as the same error", async () => {
    const stage = await Stage.orchestrated(server());
    await expectRefusal(stage.client.schedules.get("none"), "not_found", /^schedule none does not exist$/);
  });

  test("does not come when no orchestrator runs, and the error says what to do", async () => {
    const stage = await Stage.open(server());
    const get = stage.client.schedules.get("none");
    await expectRefusal(
      get,
      "unavailable",
      /no orchestrator answers .*start one with: punctual orchestrator/,
    );
  });

  test("comes from each of several orchestrators alike, while shards move between them", async () => {
    const stage = await Stage.orchestrated(server());
    const second = await stage.punctual.orchestrate();
    const third = await stage.punctual.orchestrate();
    for (let n = 0; n < 30; n++) {
      const made = await stage.client.schedules.put("s", { at: "2099-01-01T00:00:00Z", payload: n });
      expect(await stage.client.schedules.get("s")).toEqual(made);
      for await (const listed of stage.client.schedules.list()) expect(listed).toEqual(made);
    }
    await Promise.all([second.stop(), third.stop()]);
    expect((await stage.client.schedules.get("s")).schedule.payload).toBe(29);
  });
});

test("an empty request is an error where it would be a job, and one without fields elsewhere", async () => {
  const stage = await Stage.orchestrated(server());
  const ask = async (endpoint: string) => (await stage.raw.request(stage.names.api(endpoint), "")).json();
  expect(await ask("job.enqueue")).toMatchObject({
    code: "invalid",
    message: "job.enqueue: expected a job as a JSON object, got nothing",
  });
  expect(await stage.inWork()).toEqual([]);
  expect(await ask("queue.list")).toEqual({ queues: [], next: null });
});

describe("discovery", () => {
  const found = async (stage: Stage, subject: string) => {
    const answers: Record<string, unknown>[] = [];
    const inbox = `_INBOX.${stage.names.namespace}.${subject.length}`;
    stage.raw.subscribe(inbox, {
      callback: (_error, message) => {
        const answer = message.json<{ metadata: { namespace: string } }>();
        if (answer.metadata.namespace === stage.names.namespace) answers.push(answer);
      },
    });
    stage.raw.publish(subject, "", { reply: inbox });
    return until(() => {
      expect(answers).toHaveLength(1);
      return answers[0] as Record<string, unknown>;
    });
  };

  test("$SRV.PING, $SRV.INFO and $SRV.STATS are answered, by name and by id too", async () => {
    const stage = await Stage.orchestrated(server());
    const ping = await found(stage, "$SRV.PING");
    expect(ping).toEqual({
      name: "punctual",
      id: expect.any(String),
      version,
      metadata: { namespace: stage.names.namespace },
      type: "io.nats.micro.v1.ping_response",
    });
    const info = await found(stage, "$SRV.INFO.punctual");
    expect(info).toMatchObject({ type: "io.nats.micro.v1.info_response", id: ping.id });
    const subjects = (info.endpoints as { subject: string }[]).map(({ subject }) => subject);
    expect(subjects).toEqual(Object.keys(endpoints).map((endpoint) => stage.names.api(endpoint)));
    const stats = await found(stage, `$SRV.STATS.punctual.${String(ping.id)}`);
    expect(stats).toMatchObject({ type: "io.nats.micro.v1.stats_response", id: ping.id });
  });
});
