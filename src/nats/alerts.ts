import type { NatsConnection } from "@nats-io/transport-node";
import type { Alert, AlertBus } from "../core/alert.js";
import type { Names } from "../protocol/names.js";

/** `<ns>.alert.<rule>`: JSON. */
export class NatsAlertBus implements AlertBus {
  readonly #connection: NatsConnection;
  readonly #names: Names;

  constructor(connection: NatsConnection, names: Names) {
    this.#connection = connection;
    this.#names = names;
  }

  raise(alert: Alert): void {
    if (this.#connection.isClosed() || this.#connection.isDraining()) return;
    const told = { ...alert, at: new Date(alert.at).toISOString() };
    this.#connection.publish(this.#names.alert(alert.rule), JSON.stringify(told));
  }
}
