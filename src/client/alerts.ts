import type { ApiCaller } from "../core/ports.js";
import type { AlertView, BreachView } from "../protocol/alert-api.js";
import type { AlertInput } from "../protocol/alert-input.js";
import { ask, given } from "./requests.js";
import type { PutOptions } from "./schedules.js";

/**
 * The alert rules of a namespace, and what is wrong now. Every request is checked here before it is sent: `invalid` names
 * the fields. `unavailable`: no orchestrator answers.
 */
export class Alerts {
  readonly #api: ApiCaller;

  constructor(api: ApiCaller) {
    this.#api = api;
  }

  /** Makes the rule, or replaces the one of this name as a whole. */
  put(name: string, rule: AlertInput, options: PutOptions = {}): Promise<AlertView> {
    return ask(this.#api, "alert.put", { name, rule, ...given(options) });
  }

  /** Throws `not_found` when there is none. */
  get(name: string): Promise<AlertView> {
    return ask(this.#api, "alert.get", { name });
  }

  /** Every rule, by name. */
  async list(): Promise<AlertView[]> {
    return (await ask(this.#api, "alert.list", {})).alerts;
  }

  /** What it has found is over. */
  async delete(name: string, options: PutOptions = {}): Promise<void> {
    await ask(this.#api, "alert.delete", { name, ...given(options) });
  }

  /** Every breach that is not over, the oldest first. */
  async active(): Promise<BreachView[]> {
    return (await ask(this.#api, "alert.active", {})).breaches;
  }
}
