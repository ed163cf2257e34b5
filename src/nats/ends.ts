/** Hints that runs are over: what their workers tell of them, and what the server tells of acknowledgements. */
import type { Msg, NatsConnection } from "@nats-io/transport-node";
import { lanes } from "../core/lane.js";
import type { Occupant, RunEnds, Subscription } from "../core/ports.js";
import type { Names } from "../protocol/names.js";

interface Acks {
  unsubscribe(): void;
  /** By sequence in WORK. */
  waiting: Map<number, Set<() => void>>;
}

export class NatsRunEnds implements RunEnds {
  readonly #connection: NatsConnection;
  readonly #names: Names;
  /** One subscription for each lane of each queue that anyone waits for. */
  readonly #acks = new Map<string, Acks>();

  constructor(connection: NatsConnection, names: Names) {
    this.#connection = connection;
    this.#names = names;
  }

  listen({ runId, queue, seq }: Occupant, onEnd: () => void): Subscription {
    if (this.#connection.isClosed()) return { stop: async () => {} };
    const events = this.#connection.subscribe(this.#names.runEvents(runId), {
      callback: (error) => {
        if (error === null) onEnd();
      },
    });
    const acks = this.#acksOf(queue);
    const waiting = acks.waiting.get(seq) ?? new Set();
    acks.waiting.set(seq, waiting.add(onEnd));
    return {
      stop: async () => {
        events.unsubscribe();
        this.#forget(queue, acks, seq, onEnd);
      },
    };
  }

  #acksOf(queue: string): Acks {
    const known = this.#acks.get(queue);
    if (known !== undefined) return known;
    const waiting: Acks["waiting"] = new Map();
    const callback = (error: Error | null, message: Msg) => {
      // There may be thousands a second, and only the sequence matters.
      const seq = error === null ? /"stream_seq":\s*(\d+)/.exec(message.string())?.[1] : undefined;
      if (seq !== undefined) for (const onEnd of [...(waiting.get(Number(seq)) ?? [])]) onEnd();
    };
    const subscriptions = lanes.map((lane) =>
      this.#connection.subscribe(this.#names.acks(queue, lane), { callback }),
    );
    const unsubscribe = () => {
      for (const subscription of subscriptions) subscription.unsubscribe();
    };
    const acks = { unsubscribe, waiting };
    this.#acks.set(queue, acks);
    return acks;
  }

  #forget(queue: string, acks: Acks, seq: number, onEnd: () => void): void {
    const waiting = acks.waiting.get(seq);
    waiting?.delete(onEnd);
    if (waiting?.size === 0) acks.waiting.delete(seq);
    if (acks.waiting.size > 0 || this.#acks.get(queue) !== acks) return;
    this.#acks.delete(queue);
    acks.unsubscribe();
  }
}
