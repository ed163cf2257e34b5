/** A command line with nothing real around it. */
import { run } from "../../src/cli/program.js";
import type { CliContext, ConnectOptions, Parts, Punctual } from "../../src/cli/runtime.js";
import { PunctualError } from "../../src/core/errors.js";
import { fakeClient } from "../client/fakes.js";

interface FakeOptions {
  env?: Record<string, string>;
  files?: Record<string, string>;
  /** When somebody asks the process to end. Default: at once. */
  stopped?: Promise<void>;
}

export function fakeCli(options: FakeOptions = {}) {
  const { client, server } = fakeClient();
  const seen = {
    connects: [] as ConnectOptions[],
    authors: [] as (string | undefined)[],
    steps: [] as string[],
    work: [] as unknown[],
    orchestrated: [] as unknown[],
  };
  const step = (text: string) => {
    seen.steps.push(text);
  };
  const running = (name: string) => ({ stop: async () => step(`${name} stopped`) });
  const punctual: Punctual = {
    client,
    httpUrls: [],
    async orchestrate(settings) {
      seen.orchestrated.push(settings);
      step("orchestrator started");
      return { id: "o-1", ...running("orchestrator") };
    },
    async work(queue, settings, handler) {
      step(`worker ${queue} started`);
      seen.work.push({ queue, ...settings, made: handler() });
      return running(`worker ${queue}`);
    },
    close: async () => step("closed"),
  };
  const parts: Parts = {
    async connect(connectOptions) {
      const { log: _, create: __, author, ...rest } = connectOptions;
      seen.connects.push(rest);
      seen.authors.push(author);
      return punctual;
    },
    async checkHealth(connectOptions) {
      seen.connects.push(connectOptions);
      return { server: "s1", version: "2.12.5" };
    },
    async startServer({ dataDir, port }) {
      step(`server on ${port} in ${dataDir}`);
      return { url: `nats://127.0.0.1:${port}`, exited: new Promise(() => {}), ...running("server") };
    },
    httpHandler: async (settings) => () => ({ http: settings }),
    execHandler: async (settings) => () => ({ exec: settings }),
    async runDemo(settings) {
      step(`demo ${JSON.stringify(settings)}`);
      return 1;
    },
  };
  const out = { stdout: "", stderr: "" };
  const readText = async (path: string): Promise<string> => {
    const text = options.files?.[path];
    if (text === undefined) throw new PunctualError("invalid", `cannot read ${path}`);
    return text;
  };
  const context: CliContext = {
    parts,
    stdout: { write: (text) => (out.stdout += text) },
    stderr: { write: (text) => (out.stderr += text) },
    env: options.env ?? {},
    user: "tester@here",
    readText,
    async *readLines(path) {
      yield* (await readText(path)).split("\n");
    },
    untilStopped: async () => options.stopped,
  };
  return {
    server,
    seen,
    /** Runs a command line whose words are separated by single blanks. */
    punctual: (line: string) => punctualOf(line === "" ? [] : line.split(" ")),
    argv: (...args: string[]) => punctualOf(args),
  };

  async function punctualOf(args: string[]) {
    out.stdout = "";
    out.stderr = "";
    const exitCode = await run(args, "1.2.3", context);
    return { exitCode, ...out };
  }
}
