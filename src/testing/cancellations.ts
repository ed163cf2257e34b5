/** Asking workers to end runs, in memory. */
import type { Cancellations, Subscription } from "../core/ports.js";
import { type MemoryLink, subscription } from "./link.js";
import type { MemoryServer } from "./server.js";

export class MemoryCancellations implements Cancellations {
  readonly #server: MemoryServer;
  readonly #link: MemoryLink;

  constructor(server: MemoryServer, link: MemoryLink) {
    this.#server = server;
    this.#link = link;
  }

  request(runId: string): void {
    this.#link.send(() => {
      for (const hear of this.#server.cancelling) hear(runId);
    });
  }

  listen(onRequest: (runId: string) => void): Subscription {
    const hear = (runId: string) => this.#link.push(() => onRequest(runId));
    this.#server.cancelling.add(hear);
    return subscription(this.#link, () => this.#server.cancelling.delete(hear));
  }
}
