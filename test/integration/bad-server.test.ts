/** Servers that cannot be worked with: each kind is refused with a message of its own, before anything is made. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { RetentionPolicy } from "@nats-io/jetstream";
import { describe, expect, onTestFinished, test } from "vitest";
import { connect } from "../../src/connect.js";
import { streamsOf } from "../../src/nats/provision.js";
import { checkVersion } from "../../src/nats/server-check.js";
import { namesOf } from "../../src/protocol/names.js";
import { findBinary } from "../../src/runtime/embedded/binary.js";
import { until } from "../support/scene.js";
import { connected, expectRefusal, freshNamespace, Stage, serverOf } from "../support/stage.js";

describe("the version of a server", () => {
  const cases: [version: string, clustered: boolean, minimum: string | null][] = [
    ["2.9.10", false, null],
    ["2.9.9", false, "2.9.10"],
    ["2.8.99", false, "2.9.10"],
    ["1.4.0", false, "2.9.10"],
    ["2.9.10", true, "2.9.21"],
    ["2.9.20", true, "2.9.21"],
    ["2.9.21", true, null],
    ["2.10.0-beta.1", true, null],
    ["2.14.5", true, null],
    ["10.0.0", false, null],
  ];
  for (const [version, clustered, minimum] of cases) {
    test(`${version}${clustered ? " in a cluster" : ""} is ${minimum ? "refused" : "taken"}`, async () => {
      if (minimum === null) return checkVersion(version, clustered);
      const where = clustered ? " in a cluster" : "";
      await expectRefusal(
        () => checkVersion(version, clustered),
        "unsupported",
        new RegExp(`^nats-server ${version}${where}: expected ${minimum} or newer; upgrade the server$`),
      );
    });
  }

  /** Says who it is, and answers what a client needs to be connected. */
  async function pretender(info: Record<string, unknown>): Promise<string> {
    const server = createServer((socket) => {
      const hello = {
        server_id: "X",
        server_name: "old",
        headers: true,
        max_payload: 1_048_576,
        proto: 1,
        ...info,
      };
      socket.write(`INFO ${JSON.stringify(hello)}\r\n`);
      socket.on("error", () => {});
      socket.on("data", (data) => {
        for (const line of data.toString().split("\r\n")) if (line === "PING") socket.write("PONG\r\n");
      });
      onTestFinished(() => void socket.destroy());
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const address = server.address();
    return `nats://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  }

  test("that is too old is refused at once, whatever else it could do", async () => {
    const servers = await pretender({ version: "2.8.4" });
    await expectRefusal(
      connect({ servers }),
      "unsupported",
      /^nats-server 2\.8\.4: expected 2\.9\.10 or newer/,
    );
  });

  test("that is too old for a cluster is refused there", async () => {
    const servers = await pretender({ version: "2.9.20", cluster: "west" });
    const text = /^nats-server 2\.9\.20 in a cluster: expected 2\.9\.21 or newer/;
    await expectRefusal(connect({ servers }), "unsupported", text);
  });
});

describe("a server", () => {
  test("that is not there is told with its address", async () => {
    const listener = createServer().listen(0, "127.0.0.1");
    await once(listener, "listening");
    const address = listener.address();
    const port = typeof address === "object" ? address?.port : 0;
    await new Promise((resolve) => listener.close(resolve));
    const servers = `nats://user:secret@127.0.0.1:${port}`;
    const error = await expectRefusal(
      connect({ servers }),
      "unavailable",
      /no NATS server answers .*is it running/,
    );
    expect(error.message).toContain(`nats://127.0.0.1:${port}`);
    expect(error.message).not.toContain("secret");
  });

  test("without JetStream is refused, with what to do", async () => {
    const servers = await withoutJetStream();
    await expectRefusal(
      connect({ servers }),
      "unsupported",
      /JetStream is not enabled; start nats-server with -js/,
    );
  });
});

async function withoutJetStream(): Promise<string> {
  const { path } = await findBinary();
  const config = join(tmpdir(), `punctual-bare-${process.pid}.conf`);
  await writeFile(config, 'listen: "127.0.0.1:-1"\n');
  const child = spawn(path, ["-c", config], { stdio: ["ignore", "ignore", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  for await (const line of createInterface({ input: child.stderr })) {
    const port = /Listening for client connections on 127\.0\.0\.1:(\d+)/.exec(line)?.[1];
    if (port !== undefined) return `nats://127.0.0.1:${port}`;
  }
  throw new Error("the server ended");
}

/** Users with less and less rights. */
const accounts = `
authorization {
  users = [
    { user: "admin", password: "right" }
    { user: "nojs", password: "right", permissions: { publish: { deny: ["$JS.API.>"] } } }
    { user: "nomake", password: "right", permissions: { publish: { deny: ["$JS.API.STREAM.CREATE.>"] } } }
    { user: "nowork", password: "right", permissions: { publish: { deny: ["*.work.>"] } } }
    { user: "noqueue", password: "right", permissions: { publish: { deny: ["$JS.API.CONSUMER.*.>"] } } }
    { user: "noapi", password: "right", permissions: { publish: { deny: ["*.api.>"] } } }
    { user: "nodiscovery", password: "right", permissions: { subscribe: { deny: ["$SRV.>"] } } }
    { user: "noinbox", password: "right", permissions: { subscribe: { deny: ["_INBOX.>"] } } }
  ]
}`;

describe("credentials and permissions", () => {
  const server = serverOf({ extraConfig: accounts });
  const as = (user: string, namespace = freshNamespace()) => ({
    servers: server().url,
    namespace,
    shards: 2,
    user,
    password: "right",
  });

  test("wrong credentials are denied", async () => {
    const wrong = connect({ ...as("admin"), password: "wrong" });
    await expectRefusal(wrong, "denied", /the server refused the credentials/);
    await expectRefusal(connect({ servers: server().url }), "denied", /the server refused the credentials/);
  });

  test("a credentials file that cannot be read is named", async () => {
    const error = await expectRefusal(
      connect({ creds: "/no/such.creds" }),
      "invalid",
      /creds: cannot read \/no\/such\.creds/,
    );
    expect(error.issues).toMatchObject([{ path: "creds" }]);
  });

  test("who may not use JetStream is told the subject that is missing", async () => {
    await expectRefusal(
      connect(as("nojs")),
      "denied",
      /JetStream: missing permission .*\$JS\.API\.INFO.*grant it to this user/,
    );
  });

  test("who may not make streams is told which, unless they are there", async () => {
    const namespace = freshNamespace();
    const alone = connect(as("nomake", namespace));
    await expectRefusal(alone, "denied", /stream .*_RUNS: missing permission .*STREAM\.CREATE/);
    await connected(as("admin", namespace));
    await connected(as("nomake", namespace));
  });

  test("who may not make queues is told which subject is missing", async () => {
    const namespace = freshNamespace();
    await connected(as("admin", namespace));
    await expectRefusal(
      connect(as("noqueue", namespace)),
      "denied",
      /consumers of .*: missing permission .*CONSUMER/,
    );
  });

  test("who may not enqueue is denied at once, not after many tries", async () => {
    const namespace = freshNamespace();
    await connected(as("admin", namespace));
    const punctual = await connected(as("nowork", namespace));
    const startedAt = performance.now();
    await expectRefusal(
      punctual.client.enqueue({ jobId: "x" }),
      "denied",
      /work\.default\.x: .*[Pp]ermission/,
    );
    expect(performance.now() - startedAt).toBeLessThan(3_000);
  });

  test("who may not call the API is denied", async () => {
    const punctual = await connected(as("noapi"));
    await expectRefusal(punctual.client.schedules.get("s"), "denied", /[Pp]ermission.*api\.schedule\.get/);
  });

  test("an orchestrator that may not be discovered works all the same", async () => {
    const namespace = freshNamespace();
    const orchestrator = await (await connected(as("nodiscovery", namespace))).orchestrate();
    onTestFinished(() => orchestrator.stop());
    await until(() => expect(orchestrator.held).toHaveLength(2));
    const { client } = await connected(as("admin", namespace));
    expect((await client.schedules.put("s", { every: "1h" })).id).toBe("s");
  });

  test("who may not hear answers is told so", async () => {
    await expectRefusal(connect(as("noinbox")), "denied", /missing permission .*_INBOX/);
  });
});

describe("a stream of the same name", () => {
  const server = serverOf();

  async function with1(change: (stage: Stage, names: ReturnType<typeof namesOf>) => Promise<unknown>) {
    const stage = await Stage.open(server());
    const namespace = freshNamespace();
    await change(stage, namesOf(namespace));
    return { stage, namespace, connecting: connect({ servers: server().url, namespace }) };
  }

  test("with other settings is refused: what it is and what was expected", async () => {
    const { connecting, stage, namespace } = await with1(({ jsm }, names) =>
      jsm.streams.add({
        name: names.work,
        subjects: [`${names.namespace}.>`],
        retention: RetentionPolicy.Limits,
      }),
    );
    const message =
      /^stream .*_RUNS: .*overlap|^stream .*_WORK: (subjects|retention) is .*, expected .*made with other settings/;
    const error = await expectRefusal(connecting, "conflict", message);
    expect(error.message).toMatch(/another namespace|remove the stream/);
    const { config } = await stage.jsm.streams.info(namesOf(namespace).work);
    expect(config.retention).toBe("limits"); // left as it was
  });

  test("with one other setting is refused by the name of the setting", async () => {
    const { connecting } = await with1(({ jsm }, names) =>
      jsm.streams.add({
        name: names.dead,
        subjects: [names.deadSubjects],
        retention: RetentionPolicy.Interest,
      }),
    );
    await expectRefusal(
      connecting,
      "conflict",
      /^stream .*_DEAD: retention is "interest", expected "limits"/,
    );
  });

  test("as a bucket with other settings is refused", async () => {
    const { connecting } = await with1(({ jsm }, { schedules }) =>
      jsm.streams.add({
        name: schedules.stream,
        subjects: [`$KV.${schedules.bucket}.>`],
        max_msgs_per_subject: 1,
      }),
    );
    await expectRefusal(
      connecting,
      "conflict",
      /^stream KV_.*_schedules: max_msgs_per_subject is 1, expected 16/,
    );
  });

  test("of an earlier version learns the subjects that it lacks", async () => {
    const { connecting, stage, namespace } = await with1(async ({ jsm }, names) => {
      const wanted = streamsOf(names, 1).find(({ name }) => name === names.work);
      const subjects = ["high", "work", "low"].map((lane) => `${names.namespace}.${lane}.>`);
      await jsm.streams.add({ ...wanted, name: names.work, subjects });
      await jsm.jetstream().publish(names.job("mail", "before"), "1");
    });
    await (await connecting).close();
    const names = namesOf(namespace);
    const { config, state } = await stage.jsm.streams.info(names.work);
    expect(config.subjects).toContain(names.gateSubjects);
    expect(config.max_msgs_per_subject).toBe(1);
    expect(state.messages).toBe(1);
  });

  test("with limits of the operator's choice is taken", async () => {
    const { connecting } = await with1(({ jsm }, names) =>
      jsm.streams.add({
        name: names.dead,
        subjects: [names.deadSubjects],
        max_bytes: 1_000_000,
        max_age: 3_600e9,
      }),
    );
    await (await connecting).close();
  });
});
