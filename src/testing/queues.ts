/** Queues in memory. */
import type { CasOutcome, StoredMessage, Subscription } from "../core/ports.js";
import {
  type QueueChange,
  type QueueRecord,
  type QueueRequest,
  type QueueSettings,
  type QueueStore,
  settingsOf,
} from "../core/queue.js";
import { checkQueue } from "../protocol/names.js";
import { encodeQueue, readQueueRecord } from "../protocol/queue-input.js";
import { compareAndSwap, textOf } from "./cas.js";
import { type MemoryLink, subscription } from "./link.js";
import type { MemoryServer } from "./server.js";

const REMOVED = { "KV-Operation": "DEL" };

export class MemoryQueueStore implements QueueStore {
  readonly #server: MemoryServer;
  readonly #link: MemoryLink;

  constructor(server: MemoryServer, link: MemoryLink) {
    this.#server = server;
    this.#link = link;
  }

  async ensure(queue: string, asked: QueueRequest = {}): Promise<QueueSettings> {
    checkQueue(queue);
    if (Object.keys(asked).length > 0) await this.write(queue, asked, 0);
    return this.#link.ask("ensure queue", () => {
      const settings = this.#record(queue)?.settings ?? settingsOf({});
      this.#server.queue(queue, settings);
      return settings;
    });
  }

  get(queue: string): Promise<QueueRecord | null> {
    return this.#link.ask("queue", () => this.#record(queue));
  }

  write(queue: string, asked: QueueRequest, revision: number): Promise<CasOutcome> {
    return this.#swap(queue, encodeQueue(asked), revision);
  }

  remove(queue: string, revision: number): Promise<CasOutcome> {
    return this.#swap(queue, "", revision, REMOVED);
  }

  list(): Promise<QueueRecord[]> {
    return this.#link.ask("queues", () =>
      [...this.#server.queueSettings.subjects()]
        .sort()
        .map((queue) => this.#record(queue))
        .filter((record) => record !== null),
    );
  }

  watch(onChange: (change: QueueChange) => void, only?: string): Promise<Subscription> {
    const { queueSettings } = this.#server;
    const feed = this.#link.feed(() => this.#server.faults.watchDelayMs?.("queues") ?? 0);
    const tell = (message: StoredMessage) => {
      const queue = message.subject;
      if (only === undefined || queue === only)
        feed.push(() => onChange({ queue, record: recordIn(message) }));
    };
    return this.#link.ask("watch queues", () => {
      const last = [...queueSettings.subjects()].map((queue) => queueSettings.last(queue) as StoredMessage);
      for (const message of last.sort((a, b) => a.seq - b.seq)) tell(message);
      const end = queueSettings.onStored(tell);
      return subscription(this.#link, () => {
        feed.stop();
        end();
      });
    });
  }

  #record(queue: string): QueueRecord | null {
    const message = this.#server.queueSettings.last(queue);
    return message === null ? null : recordIn(message);
  }

  /** A key that was removed counts as one that never was. */
  #swap(
    queue: string,
    text: string,
    revision: number,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<CasOutcome> {
    const { queueSettings: stream, faults } = this.#server;
    const last = stream.last(queue);
    const expected = revision === 0 && last !== null && isRemoval(last) ? last.seq : revision;
    const write = { stream, key: queue, text, revision: expected, headers };
    return compareAndSwap(this.#server, this.#link, write, faults.queueWrite?.(queue, text));
  }
}

const isRemoval = (message: StoredMessage): boolean => message.headers["KV-Operation"] !== undefined;

function recordIn(message: StoredMessage): QueueRecord | null {
  const { subject, seq } = message;
  return isRemoval(message) ? null : readQueueRecord(subject, textOf(message), seq);
}
