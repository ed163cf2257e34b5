/** Asking workers to end runs: a message that nothing stores. */
import { errors, type NatsConnection } from "@nats-io/transport-node";
import { PunctualError } from "../core/errors.js";
import type { Cancellations, Subscription } from "../core/ports.js";
import type { Names } from "../protocol/names.js";
import { isNoResponders } from "./members.js";

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

  async ask(runId: string, ms: number): Promise<boolean> {
    try {
      await this.#connection.request(this.#names.cancel(runId), undefined, { timeout: ms });
      return true;
    } catch (error) {
      if (isNoResponders(error) || error instanceof errors.TimeoutError) return false;
      throw new PunctualError("unavailable", `run ${runId}: its worker cannot be asked`, { cause: error });
    }
  }

  /** Whoever has the run answers. */
  listen(onRequest: (runId: string) => boolean): Subscription {
    const prefix = this.#names.cancel("").length;
    const subscription = this.#connection.subscribe(this.#names.cancel("*"), {
      callback: (error, message) => {
        if (error === null && onRequest(message.subject.slice(prefix))) message.respond();
      },
    });
    return { stop: async () => subscription.unsubscribe() };
  }
}
