import { describe, expect, it, test } from "vitest";
import {
  decodeHeartbeat,
  encodeHeartbeat,
  type HeartbeatInput,
  heartbeatInput,
  heartbeatInputOf,
  heartbeatOf,
} from "../../src/protocol/heartbeat-input.js";
import { parseWith } from "../../src/protocol/parse.js";

const read = (input: unknown) => heartbeatOf("h", parseWith(heartbeatInput, input, "heartbeat"), 7);

describe("an expected heartbeat", () => {
  test.each<HeartbeatInput>([
    { every: "1h", grace: "5m" },
    { every: "1d", grace: "0s", description: "the backup" },
    { cron: "0 3 * * *", timeZone: "Europe/Berlin", grace: "30m" },
  ])("is read, stored and shown as it was written: %j", (input) => {
    const heartbeat = read(input);
    expect(heartbeatInputOf(heartbeat)).toEqual(input);
    expect(decodeHeartbeat("h", encodeHeartbeat(heartbeat))).toEqual(heartbeat);
  });

  it("has defaults", () => {
    expect(heartbeatInputOf(read({ every: 1_000 }))).toEqual({ every: "1s", grace: "5m" });
    expect(heartbeatInputOf(read({ cron: "@daily" }))).toMatchObject({ timeZone: "UTC" });
  });

  test.each<[unknown, string]>([
    [null, "heartbeat: expected an object, got null"],
    [{}, "every: expected one of every, cron, got neither"],
    [{ every: "1h", cron: "0 3 * * *" }, "every: expected one of every, cron, got both"],
    [{ every: "often" }, "every: expected a duration"],
    [{ every: "10ms" }, "every: expected at least 1s"],
    [{ every: "1h", timeZone: "UTC" }, "timeZone: goes with cron only"],
    [{ every: "1h", grace: "-1s" }, "grace: expected a duration"],
    [{ cron: "0 25 * * *" }, "cron: "],
    [{ cron: "soon" }, "cron: "],
    [{ cron: "0 3 * * *", timeZone: "Berlin" }, "timeZone: expected an IANA time zone"],
    [{ cron: 7 }, "cron: expected a text, got 7"],
    [{ every: "1h", description: "x".repeat(1_001) }, "description: expected at most 1000 characters"],
    [{ every: "1h", queue: "mail" }, 'unknown field "queue"'],
  ])("%j is refused", (input, message) => {
    expect(() => read(input)).toThrow(message);
  });
});

test("what somebody wrote into the bucket is read with care", () => {
  expect(() => decodeHeartbeat("h", "{")).toThrow("stored heartbeat h: expected JSON");
  expect(() => decodeHeartbeat("h", '{"since":1,"heartbeat":{}}')).toThrow(
    "heartbeat.every: expected one of",
  );
});
