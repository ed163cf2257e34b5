/**
 * Keeps the consumers of queues as the settings say.
 *
 * Every orchestrator does so when it starts and whenever a record changes, whoever wrote it; whoever asked for the
 * change has crashed, or has written the bucket by hand. To do it twice does no harm. Two that follow two revisions may
 * come in the wrong order, so each looks afterwards whether there is a newer one.
 */
import { messageOf } from "../core/errors.js";
import type { Clock, Subscription } from "../core/ports.js";
import { type QueueConsumers, type QueueStore, settingsOf } from "../core/queue.js";
import type { Logger } from "../runtime/log.js";

export interface QueueKeeperPorts {
  clock: Clock;
  log: Logger;
  queues: Pick<QueueStore, "get" | "watch">;
  queueConsumers: Pick<QueueConsumers, "apply">;
}

const AGAIN_MS = 1_000;

export class QueueKeeper {
  readonly #ports: QueueKeeperPorts;
  readonly #due = new Set<string>();
  /** To be looked at again after a while. */
  readonly #later = new Set<string>();
  #busy = false;
  #cancelTimer: () => void = () => {};
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
        this.#cancelTimer();
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
        if (!(await follow(this.#ports, queue))) this.#later.add(queue);
      } catch (error) {
        this.#ports.log.warn({ queue, error: messageOf(error) }, "a queue could not be brought up to date");
        this.#later.add(queue);
      }
    }
    this.#busy = false;
    if (this.#later.size > 0 && !this.#stopped) this.#lookAgain();
  }

  #lookAgain(): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#ports.clock.after(AGAIN_MS, () => {
      for (const queue of this.#later) this.#due.add(queue);
      this.#later.clear();
      void this.#work();
    });
  }
}

/** Brings the consumers of a queue to its newest settings. False: something has to wait; do it again later. */
export async function follow(
  { queues, queueConsumers, clock }: Omit<QueueKeeperPorts, "log">,
  queue: string,
): Promise<boolean> {
  for (let record = await queues.get(queue); ; ) {
    const isDone = await queueConsumers.apply(queue, record?.settings ?? settingsOf({}), clock.now());
    const newest = await queues.get(queue);
    if (newest?.revision === record?.revision) return isDone;
    record = newest;
  }
}
