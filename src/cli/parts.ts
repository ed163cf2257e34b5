/** The real parts, each loaded when a command needs it. */
import type { DevServer, ExecRules, Handler, Parts, Punctual } from "./runtime.js";

export const parts: Parts = {
  async connect(options) {
    const { connect } = await load<{ connect: Parts["connect"] }>("../connect.js");
    const punctual: Punctual = await connect(options);
    return punctual;
  },
  async startServer(options): Promise<DevServer> {
    const { startEmbeddedServer } = await import("../runtime/embedded/server.js");
    return startEmbeddedServer(options);
  },
  async httpHandler() {
    const { httpHandler } = await load<{ httpHandler(): Handler }>("../worker/http.js");
    return httpHandler();
  },
  async execHandler(rules) {
    const { execHandler } = await load<{ execHandler(rules: ExecRules): Handler }>("../worker/exec.js");
    return execHandler(rules);
  },
  async runDemo(options) {
    const { runDemo } = await load<{ runDemo: Parts["runDemo"] }>("../demo/demo.js");
    return runDemo(options);
  },
};

async function load<T>(path: string): Promise<T> {
  return (await import(path)) as T;
}
