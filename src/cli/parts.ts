/** The real parts, each loaded when a command needs it. */
import type { Parts } from "./runtime.js";

export const parts: Parts = {
  async connect(options) {
    const { connect } = await import("../connect.js");
    return connect(options);
  },
  async checkHealth(options) {
    const { checkHealth } = await import("../connect.js");
    return checkHealth(options);
  },
  async startServer(options) {
    const { startEmbeddedServer } = await import("../runtime/embedded/server.js");
    return startEmbeddedServer(options);
  },
  async httpHandler(options) {
    const { httpHandler } = await import("../worker/http.js");
    return httpHandler(options);
  },
  async execHandler(options) {
    const { execHandler } = await import("../worker/exec.js");
    return execHandler(options);
  },
  async runDemo(options) {
    const { runDemo } = await import("../demo/demo.js");
    return runDemo(options);
  },
};
