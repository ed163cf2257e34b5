/** A worker among the members, for people to look at: nothing depends on it, so it never fails. */
import { messageOf } from "../core/errors.js";
import type { Member, Membership } from "../core/ports.js";
import type { Logger } from "../runtime/log.js";

export class Presence {
  readonly #members: Membership;
  readonly #member: Member;
  readonly #log: Logger;

  constructor(members: Membership, member: Member, log: Logger) {
    this.#members = members;
    this.#member = member;
    this.#log = log;
  }

  /** It fades when it is not repeated. */
  announce(): Promise<void> {
    return this.#quietly("announcing", () => this.#members.announce(this.#member));
  }

  leave(): Promise<void> {
    return this.#quietly("leaving", () => this.#members.leave(this.#member));
  }

  async #quietly(what: string, action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.#log.debug({ worker: this.#member.id, error: messageOf(error) }, `${what} failed`);
    }
  }
}
