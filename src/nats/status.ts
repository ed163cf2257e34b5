import type { NatsConnection } from "@nats-io/transport-node";

/** Whether a connection stands now. One that comes back by itself is never said to be closed. */
export class ConnectionStatus {
  #connected = true;

  constructor(connection: NatsConnection) {
    void this.#follow(connection);
    void connection.closed().then(() => {
      this.#connected = false;
    });
  }

  get isConnected(): boolean {
    return this.#connected;
  }

  async #follow(connection: NatsConnection): Promise<void> {
    for await (const { type } of connection.status()) {
      if (type === "disconnect" || type === "staleConnection") this.#connected = false;
      if (type === "reconnect") this.#connected = true;
    }
  }
}
