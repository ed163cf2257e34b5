/**
 * Keeps the consumers of queues as the settings say.
 *
 * Every orchestrator does so when it starts and whenever a record changes, whoever wrote it; whoever asked for the
 * change has crashed, or has written the bucket by hand. To do it twice does no harm. Two that follow two revisions may
 * come in the wrong order, so each looks afterwards whether there is a newer one.
 */
import { messageOf } from "../core/errors.js";
import type { Clock, Subscription } from "../core/ports.js";
import { type QueueConsumers, type QueueRecord, type QueueStore, settingsOf } from "../core/queue.js";
import type { Logger } from "../runtime/log.js";

export interface QueueKeeperPorts {
  clock: Clock;
  log: Logger;
  queues: QueueStore;
  queueConsumers: QueueConsumers;
}

const RETRY_MS = 1_000;

export class QueueKeeper {
  readonly #ports: QueueKeeperPorts;
  /** Queues to look at, and whether one is looked at now. */
  readonly #due = new Set<string>();
  #busy = false;
  #cancelRetry: () => void = () => {};
  #stopped = false;

  constructor(ports: QueueKeeperPorts) {
    this.#ports = ports;
  }

  async start(): Promise<Subscription> {
    const watch = await this.#ports.queues.watch(({ queue, record }) => {
      if (record?.unreadable !== undefined)
        this.#ports.log.warn({ queue, error: record.unreadable }, "settings of a queue cannot be read");
      this.#due.add(queue);
      void this.#work();
    });
    return {
      stop: async () => {
        this.#stopped = true;
        this.#cancelRetry();
        await watch.stop();
      },
    };
  }

  async #work(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    for (const queue of this.#due) {
      if (this.#stopped) break;
      this.#due.delete(queue);
      try {
        await follow(this.#ports, queue);
      } catch (error) {
        this.#ports.log.warn({ queue, error: messageOf(error) }, "a queue could not be brought up to date");
        this.#retryLater(queue);
      }
    }
    this.#busy = false;
  }

  #retryLater(queue: string): void {
    this.#cancelRetry();
    this.#cancelRetry = this.#ports.clock.after(RETRY_MS, () => {
      this.#due.add(queue);
      void this.#work();
    });
  }
}

/** Brings the consumers of a queue to its newest settings; answers with the record that they follow. */
export async function follow(
  { queues, queueConsumers, clock }: Omit<QueueKeeperPorts, "log">,
  queue: string,
): Promise<QueueRecord | null> {
  for (let record = await queues.get(queue); ; ) {
    await queueConsumers.apply(queue, record?.settings ?? settingsOf({}), clock.now());
    const newest = await queues.get(queue);
    if (newest?.revision === record?.revision) return newest;
    record = newest;
  }
}
