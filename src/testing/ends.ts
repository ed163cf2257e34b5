/** Hints that runs are over, in memory: the message has left WORK. */
import type { Occupant, RunEnds, Subscription } from "../core/ports.js";
import { type MemoryLink, subscription } from "./link.js";
import type { MemoryServer } from "./server.js";

export class MemoryRunEnds implements RunEnds {
  readonly #server: MemoryServer;
  readonly #link: MemoryLink;

  constructor(server: MemoryServer, link: MemoryLink) {
    this.#server = server;
    this.#link = link;
  }

  listen({ seq }: Occupant, onEnd: () => void): Subscription {
    const stop = this.#server.work.onRemoved((removed) => {
      if (removed === seq) this.#link.push(onEnd);
    });
    return subscription(this.#link, stop);
  }
}
