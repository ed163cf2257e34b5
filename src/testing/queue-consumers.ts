/** The consumers of queues in memory: one for all lanes of a queue. It cannot be paused, as on an older server. */
import type { Lane } from "../core/lane.js";
import type { LaneCounts, QueueConsumers, QueueSettings } from "../core/queue.js";
import type { Instant } from "../core/schedule.js";
import { parseGateSubject, parseJobSubject } from "../protocol/subjects.js";
import type { MemoryLink } from "./link.js";
import type { MemoryServer } from "./server.js";

export class MemoryQueueConsumers implements QueueConsumers {
  readonly #server: MemoryServer;
  readonly #link: MemoryLink;

  constructor(server: MemoryServer, link: MemoryLink) {
    this.#server = server;
    this.#link = link;
  }

  apply(queue: string, settings: QueueSettings): Promise<boolean> {
    return this.#link.ask("apply queue settings", () => {
      this.#server.queues.get(queue)?.configure(settings);
      return true;
    });
  }

  counts(queue: string): Promise<LaneCounts[]> {
    return this.#link.ask("queue counts", () => this.#server.queues.get(queue)?.counts() ?? []);
  }

  all(): Promise<Map<string, LaneCounts[]>> {
    const { queues } = this.#server;
    return this.#link.ask(
      "all queues",
      () => new Map([...queues].map(([queue, consumer]) => [queue, consumer.counts()])),
    );
  }

  handedOut(queue: string, lane: Lane): Promise<number> {
    return this.#link.ask("handed out", () => this.#server.queues.get(queue)?.handedOut(lane) ?? 0);
  }

  async hasJobs(queue: string): Promise<boolean> {
    return (await this.oldestJob(queue)) !== null;
  }

  oldestJob(queue: string): Promise<Instant | null> {
    const isOfQueue = (subject: string) =>
      (parseJobSubject(subject) ?? parseGateSubject(subject))?.queue === queue;
    return this.#link.ask("jobs", () => {
      for (const { subject, storedAt } of this.#server.work.messages())
        if (isOfQueue(subject)) return storedAt;
      return null;
    });
  }

  remove(queue: string): Promise<void> {
    const { queues } = this.#server;
    return this.#link.ask("remove queue", () => {
      queues.get(queue)?.close();
      queues.delete(queue);
    });
  }
}
