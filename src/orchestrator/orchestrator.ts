/** An orchestrator: one session after another, until it is stopped. */
import { messageOf } from "../core/errors.js";
import type { Clock, Member } from "../core/ports.js";
import type { Logger } from "../runtime/log.js";
import { Memory } from "./memory.js";
import type { OrchestratorSettings } from "./options.js";
import { type OrchestratorPorts, OrchestratorSession } from "./session.js";

/** Everything over one connection. */
export interface Lifetime {
  ports: OrchestratorPorts;
  /** Resolves when the connection has ended. */
  ended: Promise<unknown>;
  close(): Promise<void>;
}

export interface OrchestratorDeps {
  clock: Clock;
  log: Logger;
  settings: OrchestratorSettings;
  open(): Promise<Lifetime>;
  /** A new identity for each session: what an earlier one held is not ours. */
  newMember(): Member;
  /** What runs beside it, and ends after it. */
  alongside?: { stop(): Promise<void> } | undefined;
}

const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 2_000;

export class Orchestrator {
  readonly #deps: OrchestratorDeps;
  readonly #memory = new Memory();
  #session: OrchestratorSession | undefined;
  #loop: Promise<void> = Promise.resolve();
  #stopped = false;
  #isConnected = false;
  #isOver = false;
  #stop: () => void = () => {};
  readonly #stopping = new Promise<void>((resolve) => {
    this.#stop = resolve;
  });

  constructor(deps: OrchestratorDeps) {
    this.#deps = deps;
  }

  /** Resolves when the first session has begun; throws what keeps it from beginning. */
  async start(): Promise<this> {
    const lifetime = await this.#deps.open();
    const session = await this.#begin(lifetime);
    this.#loop = this.#keepGoing(lifetime, session);
    return this;
  }

  /** The id of the session; another one after a reconnect. */
  get id(): string {
    return this.#session?.id ?? "";
  }

  /** What keeps it from deciding now; null when nothing does. */
  get problem(): string | null {
    if (this.#stopped) return "is stopping";
    if (!this.#isConnected) return "has no connection";
    return this.#session === undefined ? "is starting" : this.#session.problem;
  }

  /** It has left for good. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Shards held now. */
  get held(): number[] {
    return this.#isOver ? [] : (this.#session?.held ?? []);
  }

  /** Hands its shards over and leaves. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stop();
    await this.#loop;
    await this.#deps.alongside?.stop();
    this.#isOver = true;
  }

  async #begin(lifetime: Lifetime): Promise<OrchestratorSession> {
    const { settings, newMember } = this.#deps;
    const session = new OrchestratorSession(lifetime.ports, settings, newMember(), this.#memory);
    try {
      await session.start();
    } catch (error) {
      await session.stop().catch(() => {});
      await lifetime.close();
      throw error;
    }
    this.#session = session;
    this.#isConnected = true;
    this.#deps.log.info({ orchestrator: session.id }, "orchestrator is up");
    return session;
  }

  async #keepGoing(first: Lifetime, session: OrchestratorSession): Promise<void> {
    let [lifetime, current]: [Lifetime, OrchestratorSession] = [first, session];
    for (;;) {
      await Promise.race([lifetime.ended, this.#stopping]);
      this.#isConnected = false;
      await current
        .stop()
        .catch((error) => this.#deps.log.debug({ error: messageOf(error) }, "while stopping"));
      await lifetime.close();
      if (this.#stopped) return;
      this.#memory.formerIds.add(current.id);
      this.#deps.log.warn({ orchestrator: current.id }, "the connection was lost");
      const next = await this.#reopen();
      if (next === null) return;
      [lifetime, current] = next;
    }
  }

  async #reopen(): Promise<[Lifetime, OrchestratorSession] | null> {
    for (let delay = FIRST_RETRY_MS; !this.#stopped; delay = Math.min(delay * 2, LAST_RETRY_MS)) {
      try {
        const lifetime = await this.#deps.open();
        return [lifetime, await this.#begin(lifetime)];
      } catch (error) {
        this.#deps.log.warn({ error: messageOf(error) }, "no connection yet: tried again");
        const pause = new Promise<void>((resolve) => this.#deps.clock.after(delay, resolve));
        await Promise.race([pause, this.#stopping]);
      }
    }
    return null;
  }
}
