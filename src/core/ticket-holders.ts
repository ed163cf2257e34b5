/** Which messages in the queue hold tickets, as far as it is known. */
import type { GateHead, GateLine } from "./gate-line.js";

interface Holder<H extends GateHead> {
  line: GateLine<H>;
  ticket: number;
  lookedAt: number;
}

export class TicketHolders<H extends GateHead> {
  /** By sequence in WORK; the one that was looked at longest ago is first. */
  readonly #holders = new Map<number, Holder<H>>();
  readonly #most: number;

  /** @param most that are kept, of those for which nobody waits */
  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#holders.size;
  }

  add(seq: number, line: GateLine<H>, ticket: number, now: number): void {
    this.#holders.set(seq, { line, ticket, lookedAt: now });
    if (this.#holders.size > this.#most) this.#forget();
  }

  /** It has left the queue. Returns whose ticket it had. */
  remove(seq: number): GateLine<H> | undefined {
    const holder = this.#holders.get(seq);
    if (holder === undefined) return undefined;
    this.#holders.delete(seq);
    holder.line.leave(holder.ticket, "queue");
    return holder.line;
  }

  /** Those for which jobs wait, and that nobody has looked at for a while. */
  suspects(now: number, notSince: number, most: number): number[] {
    const found: number[] = [];
    for (const [seq, holder] of this.#holders) {
      if (holder.lookedAt > now - notSince || found.length >= most) break;
      this.#holders.delete(seq);
      this.#holders.set(seq, { ...holder, lookedAt: now });
      if (holder.line.heads.length > 0) found.push(seq);
    }
    return found;
  }

  /** A ticket that nobody waits for is found taken when somebody does. */
  #forget(): void {
    for (const [seq, { line, ticket }] of this.#holders) {
      if (this.#holders.size <= this.#most * 0.75) return;
      if (!line.isIdle) continue;
      this.#holders.delete(seq);
      line.drop(ticket);
    }
  }
}
