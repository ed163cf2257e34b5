import { describe, expect, it } from "vitest";
import { fakeCli } from "./context.js";

const lanes = ["high", "work", "low"].map((lane) => ({
  lane,
  queued: lane === "work" ? 7 : 0,
  running: 0,
  redelivered: 0,
  pulls: 0,
}));
const view = {
  queue: "mail",
  revision: 4,
  asked: { concurrency: 5 },
  settings: { ackWait: "10s", concurrency: 5 },
  paused: false,
  bareWorkersPaused: false,
  queued: 7,
  running: 2,
  redelivered: 1,
  pulls: 3,
  waiting: 0,
  workers: 1,
  lanes,
};
const paused = {
  ...view,
  paused: true,
  asked: { paused: true, pausedUntil: "2030-01-01T00:00:00.000Z", note: "maintenance" },
};

describe("queue put and patch", () => {
  it("send what flags and file describe", async () => {
    const { argv, server } = fakeCli({
      files: { "q.json": '{"maxDepth":9,"ackWait":"1s","perKey":{"rate":"5/s"}}' },
    });
    server.answers.push(view, view);
    const flags = ["--ack-wait", "30s", "--backoff", "1s, 5000,1m", "--max-attempts", "9", "--rate", "100/s"];
    const more = ["--key-concurrency", "1", "--key-order", "--history", "outcome", "--concurrency", "5"];
    expect(
      await argv("queue", "put", "mail", "--file", "q.json", ...flags, ...more, "--if-revision", "3"),
    ).toMatchObject({ exitCode: 0, stdout: "mail stored, revision 4\n" });
    const patched = await argv(
      "queue",
      "patch",
      "mail",
      "--max-depth",
      "9",
      "--unset",
      "perKey.rate",
      "--unset",
      "note",
    );
    expect(patched).toMatchObject({ exitCode: 0, stdout: "mail is at revision 4\n" });
    expect(server.calls).toEqual([
      {
        endpoint: "queue.put",
        request: {
          queue: "mail",
          settings: {
            maxDepth: 9,
            ackWait: "30s",
            backoff: ["1s", 5_000, "1m"],
            maxAttempts: 9,
            rate: "100/s",
            history: "outcome",
            concurrency: 5,
            perKey: { concurrency: 1, order: true, rate: "5/s" },
          },
          ifRevision: 3,
        },
      },
      {
        endpoint: "queue.patch",
        request: { queue: "mail", patch: { maxDepth: 9, perKey: { rate: null }, note: null } },
      },
    ]);
  });

  it.each([
    [["put", "a.b"], /QUEUE: expected 1 to 64 characters/],
    [["put", "x", "--ack-wait", "soon"], /--ack-wait: expected a duration.*got "soon"/],
    [["put", "x", "--backoff", "1s,soon"], /--backoff: expected a duration.*got "soon"/],
    [["put", "x", "--max-attempts", "2", "--backoff", "1,2"], /--backoff: expected at most 1/],
    [["put", "x", "--max-attempts", "many"], /--max-attempts: expected a number, got "many"/],
    [["put", "x", "--rate", "fast"], /--rate: expected a rate/],
    [["put", "x", "--key-rate", "fast"], /--key-rate: expected a rate/],
    [["put", "x", "--key-order", "--key-concurrency", "2"], /--key-concurrency: expected 1 with order/],
    [["put", "x", "--max-depth", "0"], /--max-depth: .*got 0/],
    [["put", "x", "--history", "some"], /--history: expected one of/],
    [["put", "x", "--if-revision", "-1"], /--if-revision: expected a whole number/],
    [["patch", "x"], /expected something to change, as --max-depth or --unset/],
    [
      ["patch", "x", "--unset", "depth"],
      /--unset: expected a field such as maxDepth or perKey.rate, got "depth"/,
    ],
    [["pause", "x", "--until", "soon"], /--until: expected an RFC 3339 time.*got "soon"/],
    [["get", "a b"], /QUEUE: expected/],
    [["delete", "*"], /QUEUE: expected/],
  ])("%j is refused in the words of the flags, before anything is connected", async (args, message) => {
    const { argv, seen } = fakeCli();
    const result = await argv("queue", ...args);
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toMatch(message);
    expect(seen.connects).toEqual([]);
  });
});

describe("queue get, list, pause, resume, delete", () => {
  it("show it for people and for programs", async () => {
    const { argv, server } = fakeCli();
    server.answers.push(view, view);
    const shown = (await argv("queue", "get", "mail")).stdout;
    expect(shown).toMatch(/state +active/);
    expect(shown).toMatch(/queued +7/);
    expect(shown).toMatch(/lane work +7 queued, 0 running/);
    expect(shown).toMatch(/ackWait +10s \(default\)/);
    expect(shown).toMatch(/concurrency +5\n/);
    expect(JSON.parse((await argv("queue", "get", "mail", "--json")).stdout)).toEqual(view);
  });

  it("list them by name", async () => {
    const { argv, server } = fakeCli();
    server.answers.push({ queues: [view], next: "mail" }, { queues: [paused], next: null });
    const lines = (await argv("queue", "list")).stdout.split("\n");
    expect(lines[1]).toMatch(/^mail +0 +7 +2 +1 +1 +active$/);
    expect(lines[2]).toMatch(/paused until 2030-01-01 00:00:00Z: maintenance$/);
    expect(server.calls.map(({ request }) => request)).toEqual([{}, { after: "mail" }]);
    server.answers.push({ queues: [], next: null }, { queues: [view], next: null });
    expect((await argv("queue", "list")).stderr).toMatch(/no queues; make one/);
    expect((await argv("queue", "list", "--quiet")).stdout).toBe("mail\n");
  });

  it("say whom a pause does not reach", async () => {
    const { argv, server } = fakeCli();
    server.answers.push(paused, { ...paused, bareWorkersPaused: true }, view, { queue: "mail" });
    const args = ["queue", "pause", "mail", "--note", "maintenance", "--until", "2030-01-01T00:00:00Z"];
    const old = await argv(...args);
    expect(old.stdout).toBe("mail paused until 2030-01-01 00:00:00Z: maintenance\n");
    expect(old.stderr).toMatch(/workers without the SDK are not held back/);
    expect((await argv(...args)).stderr).toBe("");
    expect(server.calls[0]?.request).toEqual({
      queue: "mail",
      note: "maintenance",
      until: "2030-01-01T00:00:00.000Z",
    });
    expect((await argv("queue", "resume", "mail")).stdout).toBe("mail resumed\n");
    expect((await argv("queue", "delete", "mail")).stdout).toBe("mail deleted\n");
  });
});
