/** Definitions in their bucket. */
import type { JetStreamManager } from "@nats-io/jetstream";
import type { KV, KvEntry } from "@nats-io/kv";
import type { Calendar } from "../core/calendar.js";
import { messageOf } from "../core/errors.js";
import { shardOf } from "../core/hash.js";
import type { CasOutcome, ScheduleChanges, ScheduleStore, Subscription } from "../core/ports.js";
import type { Schedule, ScheduleDefinition } from "../core/schedule.js";
import { type Names, parseCalendarKey } from "../protocol/names.js";
import { decodeDefinition, encodeDefinition } from "../protocol/stored.js";
import { decodeCalendar } from "../protocol/stored-calendar.js";
import { compareAndSwap, deletionMarker, readLatest } from "./cas.js";
import type { Publisher } from "./publisher.js";

const TOUCHED = "_touched";

type Removed = ScheduleChanges["removed"][number];

export class NatsScheduleStore implements ScheduleStore {
  readonly #bucket: KV;
  readonly #jsm: JetStreamManager;
  readonly #publisher: Publisher;
  readonly #names: Names;
  readonly #shards: number;

  constructor(bucket: KV, jsm: JetStreamManager, publisher: Publisher, names: Names, shards: number) {
    this.#bucket = bucket;
    this.#jsm = jsm;
    this.#publisher = publisher;
    this.#names = names;
    this.#shards = shards;
  }

  async get(id: string): Promise<Schedule | null> {
    const entry = await readLatest(this.#jsm, this.#names.schedules, this.#key(id));
    return entry === null ? null : this.#schedule(id, entry.text, entry.revision);
  }

  async unreadableAt(id: string): Promise<number | null> {
    const entry = await readLatest(this.#jsm, this.#names.schedules, this.#key(id));
    if (entry === null) return null;
    return this.#readable(id, entry.text, entry.revision) === null ? entry.revision : null;
  }

  async getRevision(id: string, revision: number): Promise<Schedule | null> {
    const { bucket, stream } = this.#names.schedules;
    const message = await this.#jsm.streams.getMessage(stream, { seq: revision });
    if (message === null || message.subject !== `$KV.${bucket}.${this.#key(id)}`) return null;
    return this.#schedule(id, message.string(), revision);
  }

  async history(id: string): Promise<Schedule[]> {
    const { bucket, stream } = this.#names.schedules;
    const subject = `$KV.${bucket}.${this.#key(id)}`;
    const found: Schedule[] = [];
    for (let seq = 1; ; ) {
      const query = { seq, next_by_subj: subject };
      const message = await this.#jsm.streams.getMessage(stream, query);
      if (message === null) return found;
      seq = message.seq + 1;
      const schedule = message.header?.has("KV-Operation")
        ? null
        : this.#readable(id, message.string(), message.seq);
      if (schedule !== null) found.push(schedule);
    }
  }

  async write(id: string, definition: ScheduleDefinition, revision: number): Promise<CasOutcome> {
    const text = encodeDefinition(definition);
    const outcome = await compareAndSwap(
      this.#publisher,
      this.#names.schedules,
      this.#key(id),
      text,
      revision,
    );
    if (outcome.kind !== "lost" || revision !== 0) return outcome;
    const marker = await deletionMarker(this.#jsm, this.#names.schedules, this.#key(id));
    if (marker === null) return outcome;
    return compareAndSwap(this.#publisher, this.#names.schedules, this.#key(id), text, marker);
  }

  async lastSequence(): Promise<number> {
    return (await this.#jsm.streams.info(this.#names.schedules.stream)).state.last_seq;
  }

  async watch(onChanges: (changes: ScheduleChanges) => void): Promise<Subscription> {
    const { state } = await this.#jsm.streams.info(this.#names.schedules.stream);
    const watch = await this.#bucket.watch();
    if (state.messages === 0) onChanges({ changed: [], removed: [], calendars: [], view: 0 });
    void this.#deliver(watch, onChanges);
    return { stop: async () => watch.stop() };
  }

  async touch(): Promise<void> {
    await this.#bucket.put(TOUCHED, "");
  }

  /**
   * Passes on only what is complete. A watch first delivers the newest value of each key: until nothing is pending
   * (`delta` 0), a key with a lower sequence may still come under a higher one.
   */
  async #deliver(
    watch: AsyncIterable<KvEntry>,
    onChanges: (changes: ScheduleChanges) => void,
  ): Promise<void> {
    let changed: Schedule[] = [];
    let removed: Removed[] = [];
    let calendars: Calendar[] = [];
    for await (const entry of watch) {
      const read = this.#read(entry);
      if (read !== null && "shard" in read) changed.push(read);
      else if (read !== null && "holidays" in read) calendars.push(read);
      else if (read !== null) removed.push(read);
      if (entry.delta !== 0) continue;
      onChanges({ changed, removed, calendars, view: entry.revision });
      changed = [];
      removed = [];
      calendars = [];
    }
  }

  /** Anyone with the rights can write into the bucket: what is no definition must not end the watch. */
  #read(entry: KvEntry): Schedule | Calendar | Removed | null {
    if (entry.key === TOUCHED) return null;
    const calendar = parseCalendarKey(entry.key);
    if (calendar !== null) return calendarIn(entry, calendar);
    const [id, revision] = [idOf(entry.key), entry.revision];
    if (entry.operation !== "PUT") return { id, revision };
    try {
      return this.#schedule(id, entry.string(), revision);
    } catch (error) {
      return { id, revision, unreadable: messageOf(error) };
    }
  }

  #schedule(id: string, text: string, revision: number): Schedule {
    return { ...decodeDefinition(text, id), id, shard: shardOf(id, this.#shards), revision };
  }

  /** Null: it is no definition. */
  #readable(id: string, text: string, revision: number): Schedule | null {
    try {
      return this.#schedule(id, text, revision);
    } catch {
      return null;
    }
  }

  #key(id: string): string {
    return this.#names.scheduleKey(shardOf(id, this.#shards), id);
  }
}

/** Null: it is none. What was known of it stays. */
function calendarIn(entry: KvEntry, name: string): Calendar | null {
  if (entry.operation !== "PUT") return null;
  try {
    return { ...decodeCalendar(entry.string(), name), name, revision: entry.revision };
  } catch {
    return null;
  }
}

/** Keys are `<shard>.<id>`. */
function idOf(key: string): string {
  return key.slice(key.indexOf(".") + 1);
}
