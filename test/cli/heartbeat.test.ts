import { describe, expect, it } from "vitest";
import { fakeCli } from "./context.js";

const view = {
  name: "backup",
  revision: 7,
  heartbeat: { every: "1h", grace: "5m" },
  lastBeat: null,
  expected: "2026-01-01T03:00:00.000Z",
  missing: false,
};
const missing = {
  ...view,
  name: "report",
  heartbeat: { cron: "0 3 * * *", timeZone: "UTC", grace: "5m" },
  lastBeat: "2026-01-01T02:00:00.000Z",
  missing: true,
};

describe("heartbeat put", () => {
  it("sends what flags describe", async () => {
    const { argv, server } = fakeCli();
    server.answers.push(view);
    const flags = ["--cron", "0 3 * * *", "--time-zone", "UTC", "--grace", "10m", "--description", "x"];
    expect(await argv("heartbeat", "put", "backup", ...flags, "--if-revision", "0")).toMatchObject({
      stdout: "backup stored, next expected at 2026-01-01 03:00:00Z\n",
    });
    const heartbeat = { cron: "0 3 * * *", timeZone: "UTC", grace: "10m", description: "x" };
    const request = { name: "backup", heartbeat, ifRevision: 0 };
    expect(server.calls).toEqual([{ endpoint: "heartbeat.put", request }]);
  });

  it.each<[string[], RegExp]>([
    [["a.b", "--every", "1h"], /NAME: expected 1 to 128 characters/],
    [["x"], /--every: expected one of every, cron, got neither/],
    [["x", "--every", "often"], /--every: expected a duration/],
    [["x", "--every", "1h", "--grace", "soon"], /--grace: expected a duration/],
    [["x", "--cron", "often"], /--cron: /],
    [["x", "--cron", "0 3 * * *", "--time-zone", "Berlin"], /--time-zone: expected an IANA time zone/],
    [["x", "--every", "1h", "--if-revision", "x"], /--if-revision: expected/],
  ])("%j is refused, and nothing is sent", async (args, message) => {
    const { argv, server } = fakeCli();
    const { exitCode, stderr } = await argv("heartbeat", "put", ...args);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(message);
    expect(server.calls).toEqual([]);
  });
});

describe("heartbeat get, list, delete and beat", () => {
  it("show what is expected, and what is missing", async () => {
    const { punctual, server } = fakeCli();
    server.answers.push(view, { heartbeats: [view, missing] }, { heartbeats: [] }, { heartbeats: [view] });
    expect((await punctual("heartbeat get backup")).stdout).toMatch(/last beat +none yet\n.*every +1h/s);
    const { stdout } = await punctual("heartbeat list");
    expect(stdout).toMatch(/backup +1h +5m +none yet +2026-01-01 03:00:00Z +well/);
    expect(stdout).toMatch(/report +0 3 \* \* \* UTC +5m +2026-01-01 02:00:00Z +.* +missing/);
    expect((await punctual("heartbeat list")).stderr).toMatch(/no heartbeats are expected/);
    expect((await punctual("heartbeat list --quiet")).stdout).toBe("backup\n");
  });

  it("a beat asks no orchestrator", async () => {
    const { punctual, server } = fakeCli();
    expect(await punctual("heartbeat beat backup")).toMatchObject({ stdout: "backup has beaten\n" });
    expect([server.calls, server.beats]).toEqual([[], ["backup"]]);
    expect(await punctual("heartbeat beat a.b")).toMatchObject({ exitCode: 2 });
  });

  it("delete one", async () => {
    const { punctual, server } = fakeCli();
    server.answers.push({ name: "backup" });
    expect(await punctual("heartbeat delete backup")).toMatchObject({ stdout: "backup deleted\n" });
  });
});
