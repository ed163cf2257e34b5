/** The API in memory: both ends. */
import { PunctualError } from "../core/errors.js";
import type { ApiCaller, ApiServer, Subscription } from "../core/ports.js";
import { type MemoryLink, subscription } from "./link.js";
import type { MemoryServer } from "./server.js";

export class MemoryApi implements ApiServer, ApiCaller {
  readonly #server: MemoryServer;
  readonly #link: MemoryLink;

  constructor(server: MemoryServer, link: MemoryLink) {
    this.#server = server;
    this.#link = link;
  }

  serve(_id: string, handle: (endpoint: string, body: string) => Promise<unknown>): Subscription {
    const { serving } = this.#server;
    serving.add(handle);
    return subscription(this.#link, () => serving.delete(handle));
  }

  async call(endpoint: string, request: unknown): Promise<unknown> {
    for (const handle of this.#server.serving) return handle(endpoint, JSON.stringify(request));
    throw new PunctualError("unavailable", "no orchestrator answers");
  }
}
