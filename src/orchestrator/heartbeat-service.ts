/** What people do with expected heartbeats. */
import type { AlertStore } from "../core/alert-store.js";
import { type BeatStore, expectedAfter, type Heartbeat, isMissing } from "../core/heartbeat.js";
import type { Instant } from "../core/instant.js";
import type { ApiParsed, ApiResponse } from "../protocol/api.js";
import type { HeartbeatView } from "../protocol/heartbeat-api.js";
import {
  decodeHeartbeat,
  encodeHeartbeat,
  heartbeatInputOf,
  heartbeatOf,
} from "../protocol/heartbeat-input.js";
import { limits } from "../protocol/limits.js";
import { changeRecord, getRecord, readableRecords, removeRecord, type Stored } from "./alert-records.js";
import { ServerTime, type ServerTimePorts } from "./server-time.js";

export interface HeartbeatServicePorts extends ServerTimePorts {
  alertStore: AlertStore;
  beats: BeatStore;
}

const HEARTBEATS = {
  kind: "heartbeat",
  what: "heartbeat",
  most: limits.heartbeats,
  decode: decodeHeartbeat,
} as const;
/** Last beats that are asked for at once. */
const AT_ONCE = 32;

export class HeartbeatService {
  readonly #ports: HeartbeatServicePorts;
  readonly #time: ServerTime;

  constructor(ports: HeartbeatServicePorts) {
    this.#ports = ports;
    this.#time = new ServerTime(ports);
  }

  /** As a whole. What says the same as before changes nothing; anything else begins anew. */
  async put({ name, heartbeat, ifRevision }: ApiParsed<"heartbeat.put">): Promise<HeartbeatView> {
    const { alertStore } = this.#ports;
    const now = await this.#time.now();
    const stored = await changeRecord(alertStore, HEARTBEATS, { name, ifRevision }, (existing) => {
      const same = existing === null ? null : heartbeatOf(name, heartbeat, existing.since);
      const isSame =
        same !== null && existing !== null && encodeHeartbeat(same) === encodeHeartbeat(existing);
      const value = isSame ? same : heartbeatOf(name, heartbeat, now);
      return { value, text: encodeHeartbeat(value) };
    });
    return this.#view(stored, now);
  }

  async get({ name }: ApiParsed<"heartbeat.get">): Promise<HeartbeatView> {
    const stored = await getRecord(this.#ports.alertStore, HEARTBEATS, name);
    return this.#view(stored, await this.#time.now());
  }

  async list(): Promise<ApiResponse<"heartbeat.list">> {
    const records = await readableRecords(this.#ports.alertStore, HEARTBEATS);
    const now = await this.#time.now();
    const heartbeats: HeartbeatView[] = [];
    for (let from = 0; from < records.length; from += AT_ONCE) {
      const some = records.slice(from, from + AT_ONCE);
      heartbeats.push(...(await Promise.all(some.map((record) => this.#view(record, now)))));
    }
    return { heartbeats };
  }

  async delete({ name, ifRevision }: ApiParsed<"heartbeat.delete">): Promise<{ name: string }> {
    await removeRecord(this.#ports.alertStore, HEARTBEATS, { name, ifRevision });
    return { name };
  }

  async beat({ name }: ApiParsed<"heartbeat.beat">): Promise<HeartbeatView> {
    const stored = await getRecord(this.#ports.alertStore, HEARTBEATS, name);
    await this.#ports.beats.beat(name);
    return this.#view(stored, await this.#time.now());
  }

  async #view({ value, revision }: Stored<Heartbeat>, now: Instant): Promise<HeartbeatView> {
    const last = await this.#ports.beats.last(value.name);
    const expected = expectedAfter(value, last);
    return {
      name: value.name,
      revision,
      heartbeat: heartbeatInputOf(value) as Record<string, unknown>,
      lastBeat: iso(last),
      expected: iso(expected),
      missing: isMissing(value, expected, now),
    };
  }
}

const iso = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());
