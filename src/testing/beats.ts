/** Heartbeats in memory. */
import type { BeatStore } from "../core/heartbeat.js";
import type { Instant } from "../core/instant.js";
import type { MemoryLink } from "./link.js";
import type { MemoryServer } from "./server.js";

const NO_BODY = new Uint8Array();

export class MemoryBeatStore implements BeatStore {
  readonly #server: MemoryServer;
  readonly #link: MemoryLink;

  constructor(server: MemoryServer, link: MemoryLink) {
    this.#server = server;
    this.#link = link;
  }

  beat(name: string): Promise<void> {
    const subject = this.#server.names.heartbeat(name);
    return this.#link.ask("beat", () => {
      this.#server.beats.store({ subject, headers: {}, body: NO_BODY });
    });
  }

  last(name: string): Promise<Instant | null> {
    const subject = this.#server.names.heartbeat(name);
    return this.#link.ask("last beat", () => this.#server.beats.last(subject)?.storedAt ?? null);
  }
}
