/** Asking workers to end runs: a message that nothing stores. */
import type { NatsConnection } from "@nats-io/transport-node";
import type { Cancellations, Subscription } from "../core/ports.js";
import type { Names } from "../protocol/names.js";

export class NatsCancellations implements Cancellations {
  readonly #connection: NatsConnection;
  readonly #names: Names;

  constructor(connection: NatsConnection, names: Names) {
    this.#connection = connection;
    this.#names = names;
  }

  request(runId: string): void {
    if (!this.#connection.isClosed()) this.#connection.publish(this.#names.cancel(runId));
  }

  listen(onRequest: (runId: string) => void): Subscription {
    const prefix = this.#names.cancel("").length;
    const subscription = this.#connection.subscribe(this.#names.cancel("*"), {
      callback: (error, message) => {
        if (error === null) onRequest(message.subject.slice(prefix));
      },
    });
    return { stop: async () => subscription.unsubscribe() };
  }
}
