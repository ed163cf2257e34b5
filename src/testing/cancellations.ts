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

  ask(runId: string): Promise<boolean> {
    return this.#link.ask("cancellation", () =>
      [...this.#server.cancelling].map((hear) => hear(runId)).includes(true),
    );
  }

  listen(onRequest: (runId: string) => boolean): Subscription {
    const hear = (runId: string) => {
      let isHere = false;
      this.#link.push(() => {
        isHere = onRequest(runId);
      });
      return isHere;
    };
    this.#server.cancelling.add(hear);
    return subscription(this.#link, () => this.#server.cancelling.delete(hear));
  }
}
