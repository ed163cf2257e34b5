import { expect, test } from "vitest";
import { PunctualError } from "../../src/core/errors.js";
import { fakeCli } from "./context.js";

test("version and help are results", async () => {
  const cli = fakeCli();
  const version = `1.2.3 (tz data ${process.versions.tz})\n`;
  expect(await cli.punctual("--version")).toEqual({ exitCode: 0, stdout: version, stderr: "" });
  const help = await cli.punctual("schedule put --help");
  expect(help).toMatchObject({ exitCode: 0, stderr: "" });
  expect(help.stdout).toContain("--catch-up-window");
  expect(help.stdout).toContain("--server");
});

test.each(["", "schedule", "worker", "import"])("%j alone shows help and is a wrong use", async (line) => {
  const { exitCode, stdout, stderr } = await fakeCli().punctual(line);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  expect(stderr).toMatch(/^Usage: punctual/);
});

test.each([
  ["scedule list", /unknown command 'scedule' \(Did you mean schedule\?\); see "punctual --help"/],
  ["schedule list --jsn", /unknown option '--jsn' .*; see "punctual schedule list --help"/],
  ["schedule get", /missing required argument 'id'; see "punctual schedule get --help"/],
  ["schedule get a b", /too many arguments/],
  ["health --server", /option '--server <urls>' argument missing/],
  ["health --server http://x", /--server: expected URLs such as .* got "http:\/\/x"/],
  ["health --namespace A", /--namespace: expected 1 to 32 characters of a-z 0-9 -.* got "A"/],
  ["health --replicas 2", /--replicas: expected 1, 3 or 5, got "2"/],
  ["health --password x", /--password: expected --user with it/],
  ["health --tls-cert a", /--tls-key: expected both --tls-cert and --tls-key, or neither/],
  ["orchestrator --shards 0", /--shards: expected a whole number from 1 to 1024, got "0"/],
  ["worker http --concurrency many", /--concurrency: expected a whole number from 1 to 1000, got "many"/],
  ["worker http --queue a.b", /--queue: expected 1 to 64 characters .* got "a\.b"/],
  ["worker http --drain soon", /--drain: expected a duration such as 20s, got "soon"/],
  ["worker http --label gpu", /--label: expected "key=value", got "gpu"/],
  ["worker http --label gpu=a/b", /--label: expected 1 to 63 characters/],
  ["worker exec", /--allow: expected the programs that jobs may run here, or --allow-shell/],
  [
    "dev --server nats://a --port 4333",
    /--port: goes only with a server of its own, got also --server or PUNCTUAL_SERVER/,
  ],
  ["dev --server nats://a --data-dir x", /--data-dir: goes only with a server of its own/],
  ["dev --port 70000", /--port: expected a whole number from 0 to 65535, got "70000"/],
  ["demo --for 3s", /--for: expected a duration of at least 5s, such as 30s, got "3s"/],
])("%j fails in one line, before anything is connected", async (line, message) => {
  const cli = fakeCli();
  const { exitCode, stdout, stderr } = await cli.punctual(line);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  expect(stderr).toMatch(message);
  expect(stderr).toMatch(/^punctual: [^\n]+\n$/);
  expect(cli.seen.connects).toEqual([]);
});

test.each([
  "--server nats://a,b:4223 --namespace team health",
  "health --server nats://a,b:4223 --namespace team",
  "--namespace team health --server nats://a,b:4223",
])("global options count before and after the command: %s", async (line) => {
  const cli = fakeCli({ env: { PUNCTUAL_SERVER: "nats://ignored", PUNCTUAL_NAMESPACE: "ignored" } });
  expect((await cli.punctual(line)).exitCode).toBe(0);
  expect(cli.seen.connects).toEqual([{ servers: ["nats://a", "b:4223"], namespace: "team" }]);
});

test("the environment stands in for options; PUNCTUAL_SERVER goes before NATS_URL", async () => {
  const env = {
    NATS_URL: "nats://other",
    PUNCTUAL_NAMESPACE: "team",
    PUNCTUAL_REPLICAS: "3",
    PUNCTUAL_TOKEN: "",
  };
  const cli = fakeCli({ env });
  await cli.punctual("health");
  expect(cli.seen.connects).toEqual([{ servers: ["nats://other"], namespace: "team", replicas: 3 }]);
  const both = fakeCli({ env: { ...env, PUNCTUAL_SERVER: "nats://mine" } });
  await both.punctual("health");
  expect(both.seen.connects[0]?.servers).toEqual(["nats://mine"]);
});

test("every way of signing in is handed on", async () => {
  const cli = fakeCli();
  await cli.punctual(
    "health --creds c --nkey n --user u --password p --token t --tls-ca a --tls-cert b --tls-key k",
  );
  expect(cli.seen.connects).toEqual([
    { creds: "c", nkey: "n", user: "u", password: "p", token: "t", tls: { ca: "a", cert: "b", key: "k" } },
  ]);
  const system = fakeCli();
  await system.punctual("health --tls");
  expect(system.seen.connects).toEqual([{ tls: {} }]);
});

test("health names the server that answers", async () => {
  const cli = fakeCli();
  expect(await cli.punctual("health")).toMatchObject({
    exitCode: 0,
    stdout: "s1: nats-server 2.12.5, JetStream is on\n",
  });
  expect((await cli.punctual("health --json")).stdout).toBe('{"server":"s1","version":"2.12.5"}\n');
});

test("with --json a failure is JSON too", async () => {
  const cli = fakeCli();
  cli.server.answers.push(new PunctualError("not_found", "schedule a does not exist"));
  const { exitCode, stdout, stderr } = await cli.punctual("schedule get a --json");
  expect({ exitCode, stdout }).toEqual({ exitCode: 4, stdout: "" });
  expect(JSON.parse(stderr)).toEqual({
    error: { code: "not_found", message: "schedule a does not exist", issues: [] },
  });
});

test("the connection is closed, also after a failure", async () => {
  const cli = fakeCli();
  cli.server.answers.push(new PunctualError("timeout", "no answer"));
  expect((await cli.punctual("schedule get a")).exitCode).toBe(7);
  expect(cli.seen.steps).toEqual(["closed"]);
});

test.each<[string, Record<string, string>, unknown]>([
  ["", {}, undefined],
  ["--alert-webhook http://a --alert-webhook http://b", {}, [{ url: "http://a" }, { url: "http://b" }]],
  ["", { PUNCTUAL_ALERT_WEBHOOK: "http://a  http://b" }, [{ url: "http://a" }, { url: "http://b" }]],
  [
    "--alert-webhook http://a",
    { PUNCTUAL_ALERT_WEBHOOK: "http://b", PUNCTUAL_ALERT_WEBHOOK_SECRET: "whsec_x" },
    [{ url: "http://a", secret: "whsec_x" }],
  ],
])("orchestrator %s with %j calls whom it is told to", async (flags, env, webhooks) => {
  const cli = fakeCli({ env });
  expect(await cli.punctual(`orchestrator ${flags}`.trim())).toMatchObject({ exitCode: 0 });
  expect(cli.seen.orchestrated).toEqual([webhooks === undefined ? {} : { alerts: { webhooks } }]);
});

test("an orchestrator stops in good order", async () => {
  const cli = fakeCli();
  const { exitCode, stdout } = await cli.punctual("orchestrator --shards 4 --replicas 3");
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "orchestrator o-1 runs; interrupt to stop\n" });
  expect(cli.seen.connects).toEqual([{ name: "punctual orchestrator", shards: 4, replicas: 3 }]);
  expect(cli.seen.steps).toEqual(["orchestrator started", "orchestrator stopped", "closed"]);
});

test("workers get their queue, their concurrency and their rules", async () => {
  const cli = fakeCli();
  await cli.punctual("worker http --allow-host a --allow-host b:8443");
  await cli.punctual("worker exec --queue q --concurrency 3 --allow ls --allow /bin/df");
  await cli.punctual("worker exec --allow-shell --drain 1m30s --label gpu=yes --label zone=eu-1");
  const usual = { drainTimeoutMs: 30_000, labels: {} };
  expect(cli.seen.work).toEqual([
    { queue: "http", concurrency: 10, ...usual, made: { http: { allowHosts: ["a", "b:8443"] } } },
    { queue: "q", concurrency: 3, ...usual, made: { exec: { allow: ["ls", "/bin/df"], allowShell: false } } },
    {
      queue: "exec",
      concurrency: 10,
      drainTimeoutMs: 90_000,
      labels: { gpu: "yes", zone: "eu-1" },
      made: { exec: { allow: [], allowShell: true } },
    },
  ]);
});

test("dev starts a server of its own and stops it last", async () => {
  const cli = fakeCli();
  const { exitCode, stdout } = await cli.punctual("dev --port 4333 --namespace team");
  expect(exitCode).toBe(0);
  expect(stdout).toContain("punctual --server nats://127.0.0.1:4333 --namespace team schedule list");
  expect(cli.seen.connects).toEqual([
    { name: "punctual dev", servers: "nats://127.0.0.1:4333", namespace: "team" },
  ]);
  expect(cli.seen.steps).toEqual([
    "server on 4333 in ./.punctual",
    "orchestrator started",
    "worker http started",
    "worker http stopped",
    "orchestrator stopped",
    "closed",
    "server stopped",
  ]);
});

test("dev uses the server it is given", async () => {
  const cli = fakeCli();
  const { stdout } = await cli.punctual("dev --server nats://a --json");
  expect(JSON.parse(stdout)).toEqual({ server: "nats://a", orchestrator: "o-1" });
  expect(cli.seen.steps[0]).toBe("orchestrator started");
});

test("the demo decides the exit status", async () => {
  const cli = fakeCli();
  expect((await cli.punctual("demo --for 1m --json")).exitCode).toBe(1);
  expect(cli.seen.steps).toEqual(['demo {"forMs":60000,"json":true}']);
});
