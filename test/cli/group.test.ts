import { describe, expect, it } from "vitest";
import { headers as h } from "../../src/protocol/headers.js";
import { fakeCli } from "./context.js";

const view = {
  ...{ id: "import-7", members: 40, done: 12, failed: 1, state: "open" },
  ...{ createdAt: "2026-01-01T00:00:00.000Z", completedAt: null },
};

describe("group", () => {
  it("is made with the job that is to follow, and shown", async () => {
    const { argv, server } = fakeCli();
    server.answers.push(view, view);
    const flags = ["--on-done", '{"queue":"emails"}', "--id", "import-7"];
    expect((await argv("group", "create", "40", ...flags)).stdout).toBe("import-7 made, 40 members\n");
    const request = { id: "import-7", members: 40, onDone: { queue: "emails" } };
    expect(server.calls).toEqual([{ endpoint: "group.create", request }]);
    expect((await argv("group", "get", "import-7")).stdout).toMatch(/done +12\n.*failed +1\n/s);
  });

  it.each<[string[], RegExp]>([
    [["0", "--on-done", "{}"], /MEMBERS: expected/],
    [["10001", "--on-done", "{}"], /MEMBERS: expected/],
    [["2"], /--on-done: expected/],
    [["2", "--on-done", "no json"], /--on-done: expected JSON/],
    [["2", "--on-done", '{"when":1}'], /--on-done: unknown field "when"/],
    [["2", "--on-done", "{}", "--id", "a.b"], /--id: expected 1 to/],
  ])("%j is refused, and nothing is sent", async (args, message) => {
    const { argv, server } = fakeCli();
    const { exitCode, stderr } = await argv("group", "create", ...args);
    expect(stderr).toMatch(message);
    expect(exitCode).toBe(2);
    expect(server.calls).toEqual([]);
  });
});

describe("enqueue", () => {
  it("takes what is to follow, and the group", async () => {
    const { argv, server } = fakeCli();
    const [onSuccess, onFailure] = ['{"queue":"b"}', '{"queue":"c","delay":"10m"}'];
    await argv("enqueue", "a", "1", "--on-success", onSuccess, "--on-failure", onFailure);
    expect(server.published[0]?.headers).toMatchObject({
      [h.onSuccess]: onSuccess,
      [h.onFailure]: onFailure,
    });
  });

  it.each<[string[], RegExp]>([
    [["--on-success", "[1]"], /--on-success: expected an object/],
    [["--on-failure", '{"queue":"no queue"}'], /--on-failure queue: expected/],
    [["--group", "import-7"], /--group: expected <group id>\/<index from 0>/],
  ])("refuses %j", async (args, message) => {
    const { argv, server } = fakeCli();
    const { exitCode, stderr } = await argv("enqueue", "a", "1", ...args);
    expect(stderr).toMatch(message);
    expect(exitCode).toBe(2);
    expect(server.published).toEqual([]);
  });
});
