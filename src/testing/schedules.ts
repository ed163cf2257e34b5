/** Definitions in memory. */
import type { Calendar } from "../core/calendar.js";
import { messageOf } from "../core/errors.js";
import { shardOf } from "../core/hash.js";
import type {
  CasOutcome,
  ScheduleChanges,
  ScheduleStore,
  StoredMessage,
  Subscription,
} from "../core/ports.js";
import type { Schedule, ScheduleDefinition } from "../core/schedule.js";
import { parseCalendarKey } from "../protocol/names.js";
import { decodeDefinition, encodeDefinition } from "../protocol/stored.js";
import { decodeCalendar } from "../protocol/stored-calendar.js";
import { compareAndSwap, textOf } from "./cas.js";
import { type MemoryLink, subscription } from "./link.js";
import type { MemoryServer } from "./server.js";

const TOUCHED = "_touched";
const NO_BODY = new Uint8Array();

export class MemoryScheduleStore implements ScheduleStore {
  readonly #server: MemoryServer;
  readonly #link: MemoryLink;

  constructor(server: MemoryServer, link: MemoryLink) {
    this.#server = server;
    this.#link = link;
  }

  get(id: string): Promise<Schedule | null> {
    return this.#link.ask("schedule", () => {
      const message = this.#server.schedules.last(this.#key(id));
      return message === null || isErased(message) ? null : this.#schedule(message);
    });
  }

  unreadableAt(id: string): Promise<number | null> {
    return this.#link.ask("unreadable schedule", () => {
      const message = this.#server.schedules.last(this.#key(id));
      if (message === null || isErased(message)) return null;
      return this.#readable(message) === null ? message.seq : null;
    });
  }

  getRevision(id: string, revision: number): Promise<Schedule | null> {
    return this.#link.ask("schedule revision", () => {
      const message = this.#server.schedules.at(revision);
      if (message === null || message.subject !== this.#key(id) || isErased(message)) return null;
      return this.#schedule(message);
    });
  }

  history(id: string): Promise<Schedule[]> {
    return this.#link.ask("schedule history", () =>
      this.#server.schedules
        .of(this.#key(id))
        .filter(isDefinition)
        .flatMap((message) => this.#readable(message) ?? []),
    );
  }

  async write(id: string, definition: ScheduleDefinition, revision: number): Promise<CasOutcome> {
    const { schedules, faults } = this.#server;
    const fault = faults.scheduleWrite?.(id, definition);
    const key = this.#key(id);
    const last = schedules.last(key);
    // An erased key counts as one that does not exist.
    const expected = revision === 0 && last !== null && isErased(last) ? last.seq : revision;
    const write = { stream: schedules, key, text: encodeDefinition(definition), revision: expected };
    return compareAndSwap(this.#server, this.#link, write, fault);
  }

  lastSequence(): Promise<number> {
    return this.#link.ask("last sequence", () => this.#server.schedules.lastSequence);
  }

  watch(onChanges: (changes: ScheduleChanges) => void): Promise<Subscription> {
    const { schedules } = this.#server;
    const feed = this.#link.feed(() => this.#server.faults.watchDelayMs?.("schedules") ?? 0);
    const tell = (messages: StoredMessage[], view: number) =>
      feed.push(() => onChanges(this.#changes(messages, view)));
    return this.#link.ask("watch schedules", () => {
      tell(
        [...this.#newest()].sort((a, b) => a.seq - b.seq),
        schedules.lastSequence,
      );
      const end = schedules.onStored((message) => tell([message], message.seq));
      return subscription(this.#link, () => {
        feed.stop();
        end();
      });
    });
  }

  touch(): Promise<void> {
    return this.#link.ask("touch", () => {
      this.#server.schedules.store({ subject: TOUCHED, headers: {}, body: NO_BODY });
    });
  }

  *#newest(): Iterable<StoredMessage> {
    const { schedules } = this.#server;
    for (const key of schedules.subjects()) yield schedules.last(key) as StoredMessage;
  }

  #changes(messages: StoredMessage[], view: number): ScheduleChanges {
    const erased = messages.filter(
      (message) => isErased(message) && parseCalendarKey(message.subject) === null,
    );
    const written = messages.filter(isDefinition);
    const garbage = written.filter((message) => this.#readable(message) === null);
    const gone = (message: StoredMessage) => ({ id: idOf(message.subject), revision: message.seq });
    return {
      changed: written.flatMap((message) => this.#readable(message) ?? []),
      removed: [
        ...erased.map(gone),
        ...garbage.map((message) => ({ ...gone(message), unreadable: whyUnreadable(message) })),
      ],
      calendars: messages.flatMap(calendarsIn),
      view,
    };
  }

  #schedule(message: StoredMessage): Schedule {
    const id = idOf(message.subject);
    const definition = decodeDefinition(textOf(message), id);
    return { ...definition, id, shard: shardOf(id, this.#server.shards), revision: message.seq };
  }

  /** Null: it is no definition. */
  #readable(message: StoredMessage): Schedule | null {
    try {
      return this.#schedule(message);
    } catch {
      return null;
    }
  }

  #key(id: string): string {
    return this.#server.names.scheduleKey(shardOf(id, this.#server.shards), id);
  }
}

function whyUnreadable(message: StoredMessage): string {
  try {
    decodeDefinition(textOf(message), idOf(message.subject));
    return "";
  } catch (error) {
    return messageOf(error);
  }
}

const isErased = (message: StoredMessage): boolean => message.headers["KV-Operation"] !== undefined;
const isDefinition = (message: StoredMessage): boolean =>
  !isErased(message) && message.subject !== TOUCHED && parseCalendarKey(message.subject) === null;

function calendarsIn(message: StoredMessage): Calendar[] {
  const name = parseCalendarKey(message.subject);
  if (name === null || isErased(message)) return [];
  return [{ ...decodeCalendar(textOf(message), name), name, revision: message.seq }];
}

/** Keys are `<shard>.<id>`. */
function idOf(key: string): string {
  return key.slice(key.indexOf(".") + 1);
}
