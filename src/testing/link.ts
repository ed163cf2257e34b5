/** How one program reaches the memory server: its connection, with all that can happen to one. */
import { PunctualError } from "../core/errors.js";
import type { Subscription } from "../core/ports.js";
import type { Fault } from "./faults.js";
import type { MemoryServer } from "./server.js";

const CUT = "the connection was closed";
const NO_ANSWER = "no answer from the server";

/**
 * Requests arrive in the order in which they were made; answers and pushed messages come back while the link is
 * open. A link that was cut stays so: open the ports anew.
 */
export class MemoryLink {
  readonly #server: MemoryServer;
  /** For each request that waits for its answer, how it ends without one. */
  readonly #waiting = new Set<(error: Error) => void>();
  readonly #onCut = new Set<() => void>();
  #open = true;
  #held: (() => void)[] | undefined;
  #lastArrival = Number.NEGATIVE_INFINITY;

  constructor(server: MemoryServer) {
    this.#server = server;
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** Whether the program takes in what comes. */
  get isResponsive(): boolean {
    return this.#open && this.#held === undefined;
  }

  /** Asks the server; rejects when there is no answer. */
  ask<T>(what: string, act: () => T): Promise<T> {
    const fault = this.#server.faults.read?.(what) === true ? "lost before" : undefined;
    return this.request(act, fault, refuse);
  }

  /** @param unanswered the outcome when there is no answer; may throw */
  request<T>(act: () => T, fault: Fault, unanswered: (error: Error) => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const end = (outcome: () => T) => {
        if (this.#waiting.delete(fail)) attempt(outcome, resolve, reject);
      };
      const fail = (error: Error) => end(() => unanswered(error));
      this.#waiting.add(fail);
      if (!this.#open) return fail(new Error(CUT));
      this.#travel(() => {
        const answer = this.#perform(act, fault);
        if (answer === undefined) this.#afterTimeout(() => fail(new Error(NO_ANSWER)));
        else this.#comeBack(() => end(answer));
      });
    });
  }

  /** Sends without waiting for an answer. */
  send(act: () => void): void {
    if (this.#open) this.#travel(act);
  }

  /** Hands something from the server to the program; held back while the program is suspended. */
  push(callback: () => void): void {
    if (!this.#open) return;
    if (this.#held !== undefined) this.#held.push(callback);
    else callback();
  }

  /** A stream of pushed calls, in order, each after its delay; nothing comes after `stop`. */
  feed(delayMs: () => number): { push(callback: () => void): void; stop(): void } {
    const { clock } = this.#server;
    let last = Number.NEGATIVE_INFINITY;
    let stopped = false;
    const arrive = (callback: () => void) => () => this.push(() => stopped || callback());
    return {
      push: (callback) => {
        const now = clock.monotonic();
        last = Math.max(last, now + delayMs());
        if (last > now) clock.after(last - now, arrive(callback));
        else arrive(callback)();
      },
      stop: () => {
        stopped = true;
      },
    };
  }

  /** Calls back when the link is cut. */
  onCut(callback: () => void): () => void {
    this.#onCut.add(callback);
    return () => this.#onCut.delete(callback);
  }

  /** From here on nothing arrives, and nothing that was asked is answered. */
  cut(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#held = undefined;
    for (const fail of [...this.#waiting]) fail(new Error(CUT));
    for (const callback of [...this.#onCut]) callback();
  }

  /** The program takes nothing in, as under SIGSTOP; the server does not know. */
  suspend(): void {
    if (this.#open) this.#held ??= [];
  }

  /** The program takes in what came meanwhile. */
  resume(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const callback of held) this.push(callback);
  }

  /** Undefined: there will be no answer. */
  #perform<T>(act: () => T, fault: Fault): (() => T) | undefined {
    if (fault === "lost before") return undefined;
    if (fault === "late") {
      this.#server.holdBack(act);
      return undefined;
    }
    const outcome = outcomeOf(act);
    return fault === "answer lost" ? undefined : outcome;
  }

  #travel(arrive: () => void): void {
    const { clock, faults } = this.#server;
    const now = clock.monotonic();
    this.#lastArrival = Math.max(this.#lastArrival, now + (faults.delayMs?.() ?? 0));
    if (this.#lastArrival <= now) arrive();
    else clock.after(this.#lastArrival - now, () => this.#open && arrive());
  }

  #comeBack(end: () => void): void {
    const delayMs = this.#server.faults.delayMs?.() ?? 0;
    if (delayMs <= 0) this.push(end);
    else this.#server.clock.after(delayMs, () => this.push(end));
  }

  #afterTimeout(end: () => void): void {
    const { clock, answerTimeoutMs } = this.#server;
    if (answerTimeoutMs <= 0) this.push(end);
    else clock.after(answerTimeoutMs, () => this.push(end));
  }
}

/** A subscription that ends by calling `end`, on its stop or with the link. */
export function subscription(link: MemoryLink, end: () => void): Subscription {
  const forget = link.onCut(end);
  return {
    async stop() {
      forget();
      end();
    },
  };
}

/** For requests that have no outcome for doubt: they reject. */
export function refuse(error: Error): never {
  throw new PunctualError("unavailable", error.message, { cause: error });
}

/** What happened, to be told later. */
function outcomeOf<T>(act: () => T): () => T {
  try {
    const value = act();
    return () => value;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

function attempt<T>(outcome: () => T, resolve: (value: T) => void, reject: (error: unknown) => void): void {
  try {
    resolve(outcome());
  } catch (error) {
    reject(error);
  }
}
