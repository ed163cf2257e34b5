import { describe, expect, it } from "vitest";
import { logLevel } from "../../src/runtime/log.js";
import { prettyLine } from "../../src/runtime/pretty.js";

describe("the level of the log", () => {
  it.each([
    [{}, "info"],
    [{ LOG_LEVEL: "debug" }, "debug"],
    [{ PUNCTUAL_LOG: "warn", LOG_LEVEL: "debug" }, "warn"],
    [{ PUNCTUAL_LOG: "", LOG_LEVEL: "silent" }, "silent"],
  ])("of %j is %s", (env, level) => {
    expect(logLevel(env, "info")).toBe(level);
  });

  it("that does not exist is refused, with the variable's name", () => {
    expect(() => logLevel({ LOG_LEVEL: "loud" }, "info")).toThrow(
      'LOG_LEVEL: expected one of trace, debug, info, warn, error, fatal, silent, got "loud"',
    );
  });
});

describe("a line for people", () => {
  it("has the time, the level, what happened, and to what", () => {
    const line = {
      level: 40,
      time: Date.UTC(2026, 0, 1, 3, 4, 5, 6),
      runId: "a:1",
      error: "no luck",
      msg: "failed",
    };
    expect(prettyLine(`${JSON.stringify(line)}\n`)).toBe(
      '03:04:05.006 WARN  failed runId=a:1 error="no luck"\n',
    );
  });

  it("that is no JSON stays as it is", () => {
    expect(prettyLine("Segmentation fault\n")).toBe("Segmentation fault\n");
  });
});
