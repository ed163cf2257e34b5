import type { NatsConnection } from "@nats-io/transport-node";
import type { Alert, AlertBus } from "../core/alert.js";
import { encodeAlert } from "../protocol/alert-api.js";
import type { Names } from "../protocol/names.js";

/** `<ns>.alert.<rule>`: JSON. */
export class NatsAlertBus implements AlertBus {
  readonly #connection: NatsConnection;
  readonly #names: Names;

  constructor(connection: NatsConnection, names: Names) {
    this.#connection = connection;
    this.#names = names;
  }

  async raise(alert: Alert): Promise<void> {
    this.#connection.publish(this.#names.alert(alert.rule), JSON.stringify(encodeAlert(alert)));
    await this.#connection.flush();
  }
}
