/** Queues in memory. */
import type { QueueSettings, QueueStore } from "../core/ports.js";
import { checkQueue } from "../protocol/names.js";
import type { MemoryLink } from "./link.js";
import type { MemoryServer } from "./server.js";

const DEFAULTS: QueueSettings = { ackWaitMs: 30_000, maxAttempts: 5, concurrency: 1_000 };

export class MemoryQueueStore implements QueueStore {
  readonly #server: MemoryServer;
  readonly #link: MemoryLink;

  constructor(server: MemoryServer, link: MemoryLink) {
    this.#server = server;
    this.#link = link;
  }

  async ensure(queue: string, settings: Partial<QueueSettings> = {}): Promise<QueueSettings> {
    checkQueue(queue);
    return this.#link.ask("ensure queue", () =>
      plain(this.#server.queue(queue, { ...DEFAULTS, ...settings }).settings),
    );
  }

  get(queue: string): Promise<QueueSettings | null> {
    return this.#link.ask("queue", () => {
      const consumer = this.#server.queues.get(queue);
      return consumer === undefined ? null : plain(consumer.settings);
    });
  }
}

function plain({ ackWaitMs, maxAttempts, concurrency }: QueueSettings): QueueSettings {
  return { ackWaitMs, maxAttempts, concurrency };
}
