import type { BeatStore } from "../core/heartbeat.js";
import type { ApiCaller } from "../core/ports.js";
import type { HeartbeatView } from "../protocol/heartbeat-api.js";
import type { HeartbeatInput } from "../protocol/heartbeat-input.js";
import { checkAlertName } from "../protocol/names.js";
import { ask, given } from "./requests.js";
import type { PutOptions } from "./schedules.js";

/**
 * Expected heartbeats: jobs that run elsewhere say that they ran, and silence is an alert. Every request is checked here
 * before it is sent: `invalid` names the fields. `unavailable`: no orchestrator answers.
 */
export class Heartbeats {
  readonly #api: ApiCaller;
  readonly #beats: Pick<BeatStore, "beat">;

  constructor(api: ApiCaller, beats: Pick<BeatStore, "beat">) {
    this.#api = api;
    this.#beats = beats;
  }

  /** Expects a heartbeat from now on, or expects the one of this name otherwise. */
  put(name: string, heartbeat: HeartbeatInput, options: PutOptions = {}): Promise<HeartbeatView> {
    return ask(this.#api, "heartbeat.put", { name, heartbeat, ...given(options) });
  }

  /** Throws `not_found` when it is not expected. */
  get(name: string): Promise<HeartbeatView> {
    return ask(this.#api, "heartbeat.get", { name });
  }

  /** Every heartbeat that is expected, by name. */
  async list(): Promise<HeartbeatView[]> {
    return (await ask(this.#api, "heartbeat.list", {})).heartbeats;
  }

  /** Expects it no longer. */
  async delete(name: string, options: PutOptions = {}): Promise<void> {
    await ask(this.#api, "heartbeat.delete", { name, ...given(options) });
  }

  /**
   * Says that a job ran. Resolves when the server has stored it: it takes no orchestrator, and so does not say whether
   * anybody expects it.
   */
  async beat(name: string): Promise<void> {
    await this.#beats.beat(checkAlertName(name));
  }
}
