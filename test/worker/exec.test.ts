import { watch } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { NonRetryableError } from "../../src/worker/errors.js";
import { execHandler } from "../../src/worker/exec.js";
import { Bench, HandClock, Journal, jobContext, RUN_ID } from "./support.js";

const shell = execHandler({ allowShell: true });
const run = (line: string, more: object = {}) => shell(jobContext({ shell: line, ...more }));

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "punctual-exec-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs a line that says `ready` by making that file, and calls back when it has. */
async function whenReady(folder: string, action: () => void): Promise<void> {
  const watcher = watch(folder, (_event, name) => {
    if (name !== "ready") return;
    watcher.close();
    action();
  });
}

/** In a container nobody may have buried it yet: a zombie is dead. */
async function isAlive(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return !/\) [ZX] /.test(stat);
}

/** The kernel tells nobody but the parent. */
function untilDead(pid: number): Promise<void> {
  return vi.waitFor(async () => expect(await isAlive(pid)).toBe(false), { interval: 5 });
}

test("a command that ends well", async () => {
  const handler = execHandler({ allow: ["true", "echo"] });
  await expect(handler(jobContext({ command: "true" }))).resolves.toEqual({ status: 0, output: "" });
  const echo = { command: "echo", args: ["$HOME", "a b"] };
  await expect(handler(jobContext(echo))).resolves.toEqual({ status: 0, output: "$HOME a b\n" });
});

test("a command that fails says how, and is tried again", async () => {
  const handler = execHandler({ allow: ["false", "sh"] });
  await expect(handler(jobContext({ command: "false" }))).rejects.toThrow(/^exit status 1$/);
  const args = ["-c", "echo out; echo err >&2; exit 3"];
  const error = await (handler(jobContext({ command: "sh", args })) as Promise<never>).catch(
    (e: unknown) => e,
  );
  expect(error).toMatchObject({ message: "exit status 3: out\nerr" });
  expect(error).not.toBeInstanceOf(NonRetryableError);
  await expect(run("kill -9 $$")).rejects.toThrow(/^ended by SIGKILL$/);
});

test("a command that is not there", async () => {
  const handler = execHandler({ allow: ["/no/such/program"] });
  await expect(handler(jobContext({ command: "/no/such/program" }))).rejects.toThrow(
    /could not be started: .*ENOENT/,
  );
});

test("the environment is the job's and little else", async () => {
  process.env.PUNCTUAL_TEST_SECRET = "secret";
  onTestFinished(() => void delete process.env.PUNCTUAL_TEST_SECRET);
  const { output } = (await run("env", { env: { GREETING: "hi", PUNCTUAL_RUN_ID: "forged" } })) as {
    output: string;
  };
  expect(output).toContain(`PUNCTUAL_RUN_ID=${RUN_ID}\n`);
  expect(output).toContain("PUNCTUAL_SCHEDULE_ID=nightly\n");
  expect(output).toContain("PUNCTUAL_FIRE_TIME=2026-01-01T00:00:00.000Z\n");
  expect(output).toContain("PUNCTUAL_ATTEMPT=1\n");
  expect(output).toContain("GREETING=hi\n");
  expect(output).toContain(`PATH=${process.env.PATH}\n`);
  expect(output).not.toContain("secret");
});

test("input, folder and shell of a line", async () => {
  await expect(run("cat", { stdin: "Hello\nBye\n" })).resolves.toMatchObject({ output: "Hello\nBye\n" });
  await expect(run("true", { stdin: "x".repeat(1_000_000) })).resolves.toMatchObject({ status: 0 });
  await expect(run("pwd", { cwd: "/" })).resolves.toMatchObject({ output: "/\n" });
  await expect(run("pwd", { env: { HOME: "/" } })).resolves.toMatchObject({ output: "/\n" });
  await expect(run("a line", { env: { SHELL: "/bin/echo" } })).resolves.toMatchObject({
    output: "-c a line\n",
  });
});

test("keeps the end of a long output", async () => {
  const result = (await run("seq 1 100000")) as { output: string };
  expect(result.output.endsWith("99999\n100000\n")).toBe(true);
  expect(JSON.stringify(result).length).toBeLessThanOrEqual(8_192);
  const error = (await (run("seq 1 100000; exit 1") as Promise<never>).catch((e: unknown) => e)) as Error;
  expect(error.message.length).toBeLessThanOrEqual(8_192);
  expect(error.message.endsWith("99999\n100000")).toBe(true);
});

test("keeps whole characters", async () => {
  const { output } = (await run("yes ü | head -n 9000")) as { output: string };
  expect(output).toMatch(/^\n?(ü\n)+$/);
});

test("a timeout ends the command and all that it started", async () => {
  const bench = new Bench();
  const folder = await temporaryFolder();
  await bench.start(shell);
  await whenReady(folder, () => bench.journal.add("ready"));
  const line = "sleep 600 & echo $! > child; echo begun; touch ready; wait";
  bench.deliver({ payload: { shell: line, cwd: folder }, headers: { "Punctual-Timeout": "5000" } });
  await bench.journal.until("ready");
  const child = Number(await readFile(join(folder, "child"), "utf8"));
  expect(await isAlive(child)).toBe(true);
  bench.clock.advance(5_000);
  await bench.journal.until("nak 1000");
  expect(bench.dataOf("retried")?.error).toBe("timed out after 5000 ms; ended by SIGTERM: begun");
  await untilDead(child);
});

test("a command that ignores SIGTERM is killed 5 s later", async () => {
  const journal = new Journal();
  const clock = new HandClock(journal);
  const controller = new AbortController();
  const folder = await temporaryFolder();
  await whenReady(folder, () => controller.abort(new Error("stop")));
  const handler = execHandler({ allowShell: true }, clock);
  const line = "trap '' TERM; touch ready; while :; do sleep 600; done";
  const ended = handler(jobContext({ shell: line, cwd: folder }, { signal: controller.signal }));
  await journal.until("timer 5000");
  clock.advance(5_000);
  await expect(ended).rejects.toThrow(/^ended by SIGKILL$/);
  expect(clock.pending).toBe(0);
});

test("a command that ends well because it was told to end has not done its work", async () => {
  const controller = new AbortController();
  const folder = await temporaryFolder();
  await whenReady(folder, () => controller.abort(new Error("stop")));
  const line =
    "trap 'exit 0' TERM; (trap '' TERM; exec sleep 600) > /dev/null 2>&1 & echo $! > child; : > ready; wait";
  const job = jobContext({ shell: line, cwd: folder }, { signal: controller.signal });
  await expect(shell(job)).rejects.toThrow(/^exit status 0$/);
  await untilDead(Number(await readFile(join(folder, "child"), "utf8")));
});

test.each([
  [{ command: "rm" }, 'command "rm" is not allowed here; allowed are echo, /bin/true'],
  [{ command: "/bin/echo" }, 'command "/bin/echo" is not allowed'],
  [{ command: "true" }, 'command "true" is not allowed'],
  [{ shell: "echo" }, "lines for the shell are not allowed here; allowed are echo, /bin/true"],
  [{ command: "echo", env: { PATH: "/tmp" } }, "env.PATH is not allowed here"],
  [{ command: "echo", env: { LD_PRELOAD: "/tmp/a.so" } }, "env.LD_PRELOAD is not allowed here"],
])("refuses %j", async (payload, message) => {
  const bench = new Bench();
  await bench.start(execHandler({ allow: ["echo", "/bin/true"] }));
  bench.deliver({ payload });
  await bench.journal.until("term: not retryable");
  expect(bench.letters[0]?.error).toContain(message);
});

test.each([
  [{}, "expected one of command, shell"],
  [{ command: "a", shell: "b" }, "expected one of command, shell"],
  [{ shell: "a", args: ["b"] }, "args: goes with command only"],
  [{ command: "echo", cwd: "a" }, "cwd: expected an absolute path"],
  [{ command: "echo", args: ["a\0b"] }, "args[0]: expected no NUL character"],
  [{ command: "echo", env: { "A=B": "c" } }, "env.A=B: expected a name of A-Z a-z 0-9 _"],
])("finds %j invalid", async (payload, message) => {
  const bench = new Bench();
  await bench.start(execHandler({ allow: ["echo"] }));
  bench.deliver({ payload });
  await bench.journal.until("term: invalid payload");
  expect(bench.letters[0]?.error).toContain(message);
});

test("is off unless something is allowed", () => {
  expect(() => execHandler({})).toThrow("allow: expected at least one program, or allowShell");
  expect(() => execHandler({ allow: ["./a"] })).toThrow(/allow\[0\]: expected the name of a program/);
});

test("each line of output is a line of the run's log", async () => {
  const bench = new Bench();
  await bench.start(shell);
  bench.deliver({ payload: { shell: "echo one; echo two >&2; printf three" } });
  await bench.journal.until("ack");
  const lines = bench.dataOf("log")?.lines as { msg: string; data?: object }[];
  expect(lines.map(({ msg }) => msg).sort()).toEqual(["one", "three", "two"]);
  expect(lines.find(({ msg }) => msg === "two")?.data).toEqual({ from: "stderr" });
});
