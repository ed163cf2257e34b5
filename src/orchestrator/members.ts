/**
 * Who else is there. Announcements say who has come; *no responders* says at once who has gone.
 *
 * For speed only: a wrong answer costs a takeover that compare-and-swap keeps safe.
 */
import type { Clock, Member, Membership, Subscription } from "../core/ports.js";
import { limits } from "../protocol/limits.js";
import type { Logger } from "../runtime/log.js";

const ANNOUNCE_MS = 2_000;
/** A "gone" counts only from a connection that has been there for a while. */
const STABLE_AFTER_MS = 1_000;
/** A first "gone" is asked about again soon. */
const DOUBLE_CHECK_MS = 30;

interface Peer {
  member: Member;
  seenAt: number;
  /** Answers "gone" in a row. */
  gone: number;
  /** Probes in a row that were not answered at all: it may be paused, or cut off. */
  silent: number;
  /** It has answered us. One that was announced may have gone before we came. */
  hasAnswered: boolean;
}

export interface PeersPorts {
  membership: Membership;
  clock: Clock;
  log: Logger;
  probeMs: number;
  /** Who we were on connections that have ended. */
  formerIds: ReadonlySet<string>;
}

export class Peers {
  readonly #ports: PeersPorts;
  readonly #self: Member;
  readonly #onChange: () => void;
  readonly #peers = new Map<string, Peer>();
  readonly #startedAt: number;
  #subscriptions: Subscription[] = [];
  #timers = new Set<() => void>();
  #changedAt: number;
  #stopped = false;

  constructor(ports: PeersPorts, self: Member, onChange: () => void) {
    this.#ports = ports;
    this.#self = self;
    this.#onChange = onChange;
    this.#startedAt = ports.clock.monotonic();
    this.#changedAt = this.#startedAt;
  }

  async start(): Promise<void> {
    const { membership } = this.#ports;
    this.#subscriptions = [
      membership.answerProbes(this.#self.id),
      await membership.watch((key, member) => this.#onAnnouncement(key, member)),
    ];
    await membership.announce(this.#self);
    this.#every(ANNOUNCE_MS, () => this.#announce());
    this.#every(this.#ports.probeMs, () => this.#probeAll());
  }

  /** Ends what others hear of us first, so that they need not find out. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const cancel of this.#timers) cancel();
    await Promise.allSettled(this.#subscriptions.map((subscription) => subscription.stop()));
    await this.#ports.membership.leave(this.#self).catch(() => {});
  }

  /** Ids of the orchestrators that shards can be given to, ourselves included. */
  live(): string[] {
    return [this.#self.id, ...this.#live().map((peer) => peer.member.id)];
  }

  /** Those of them that are known to be there because they have answered. */
  answering(): string[] {
    const others = this.#live().filter(({ hasAnswered }) => hasAnswered);
    return [this.#self.id, ...others.map((peer) => peer.member.id)];
  }

  #live(): Peer[] {
    const now = this.#ports.clock.monotonic();
    return [...this.#peers.values()].filter(
      (peer) => isPresent(peer) && now - peer.seenAt < limits.memberTtlMs,
    );
  }

  isGone(id: string): boolean {
    if (this.#ports.formerIds.has(id)) return true;
    const peer = this.#peers.get(id);
    return peer !== undefined && peer.gone >= 2;
  }

  /** Milliseconds since someone came or went. */
  get stableFor(): number {
    return this.#ports.clock.monotonic() - this.#changedAt;
  }

  #onAnnouncement(key: string, member: Member | null): void {
    const [role, id] = splitKey(key);
    if (role !== "orchestrator" || id === this.#self.id) return;
    const known = this.#peers.get(id);
    if (member === null) {
      // Kept as gone: its leases are free at once.
      if (known === undefined || known.gone >= 2) return;
      known.gone = 2;
      this.#changed();
    } else if (known === undefined) {
      this.#peers.set(id, {
        member,
        seenAt: this.#ports.clock.monotonic(),
        gone: 0,
        silent: 0,
        hasAnswered: false,
      });
      this.#changed();
    } else if (known.gone < 2) {
      known.seenAt = this.#ports.clock.monotonic();
    }
  }

  #probeAll(): void {
    const { clock } = this.#ports;
    for (const [id, peer] of this.#peers) {
      if (clock.monotonic() - peer.seenAt > 6 * limits.memberTtlMs) this.#peers.delete(id);
      else void this.#probe(peer);
    }
  }

  async #probe(peer: Peer): Promise<void> {
    const isStable = this.#ports.clock.monotonic() - this.#startedAt >= STABLE_AFTER_MS;
    const answer = await this.#ports.membership.probe(peer.member.id);
    if (this.#stopped) return;
    peer.hasAnswered ||= answer === "alive";
    if (!isStable && answer !== "alive") return;
    const before = isPresent(peer);
    peer.silent = answer === "unknown" ? peer.silent + 1 : 0;
    if (answer === "alive") peer.gone = 0;
    if (answer === "gone" && ++peer.gone === 1) this.#after(DOUBLE_CHECK_MS, () => void this.#probe(peer));
    if (isPresent(peer) === before) return;
    this.#ports.log.warn(
      { member: peer.member.id, answer },
      before ? "an orchestrator has gone" : "it is back",
    );
    this.#changed();
  }

  async #announce(): Promise<void> {
    await this.#ports.membership.announce(this.#self).catch((error) => {
      this.#ports.log.debug({ error: (error as Error).message }, "could not announce");
    });
  }

  #changed(): void {
    this.#changedAt = this.#ports.clock.monotonic();
    this.#onChange();
  }

  #every(ms: number, action: () => unknown): void {
    this.#after(ms, () => {
      void action();
      this.#every(ms, action);
    });
  }

  #after(ms: number, action: () => void): void {
    if (this.#stopped) return;
    const cancel = this.#ports.clock.after(ms, () => {
      this.#timers.delete(cancel);
      action();
    });
    this.#timers.add(cancel);
  }
}

const isPresent = ({ gone, silent }: Peer): boolean => gone < 2 && silent < 2;

function splitKey(key: string): [string, string] {
  const dot = key.indexOf(".");
  return [key.slice(0, dot), key.slice(dot + 1)];
}
