/** Claims of keys in memory. They are not forgotten. */
import type { CasOutcome, Versioned } from "../core/ports.js";
import type { Claim, ClaimStore } from "../core/unique-period.js";
import { decodeClaim, encodeClaim } from "../protocol/stored-claim.js";
import { compareAndSwap, textOf } from "./cas.js";
import type { MemoryLink } from "./link.js";
import type { MemoryServer } from "./server.js";

export class MemoryClaimStore implements ClaimStore {
  readonly #server: MemoryServer;
  readonly #link: MemoryLink;

  constructor(server: MemoryServer, link: MemoryLink) {
    this.#server = server;
    this.#link = link;
  }

  get(queue: string, key: string): Promise<Versioned<Claim> | null> {
    const { claims, names } = this.#server;
    return this.#link.ask("claim", () => {
      const message = claims.last(names.claimKey(queue, key));
      return message === null ? null : { value: decodeClaim(textOf(message)), revision: message.seq };
    });
  }

  write(queue: string, key: string, claim: Claim, revision: number): Promise<CasOutcome> {
    const { claims: stream, names, faults } = this.#server;
    const write = { stream, key: names.claimKey(queue, key), text: encodeClaim(claim), revision };
    return compareAndSwap(this.#server, this.#link, write, faults.claimWrite?.(queue, key));
  }
}
