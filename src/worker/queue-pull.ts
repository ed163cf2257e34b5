/**
 * Pulls the jobs of a queue for as long as the queue is not paused, and tells of its settings, at first and whenever
 * they change. What runs already goes on in a pause.
 */
import { messageOf } from "../core/errors.js";
import type { Clock, ConsumeOptions, Subscription, WorkSource } from "../core/ports.js";
import {
  isQueuePausedAt,
  type QueueChange,
  type QueueSettings,
  type QueueStore,
  settingsOf,
} from "../core/queue.js";
import type { Logger } from "../runtime/log.js";

export interface QueuePullPorts {
  source: WorkSource;
  queues: Pick<QueueStore, "ensure" | "watch">;
  clock: Clock;
  log: Logger;
}

/** Looked at again after this long at most: a timer cannot be set for years. */
const LOOK_AGAIN_MS = 3_600_000;
const RETRY_MS = 1_000;

export class QueuePull implements Subscription {
  readonly #ports: QueuePullPorts;
  readonly #queue: string;
  readonly #options: ConsumeOptions;
  #settings: QueueSettings = settingsOf({});
  #onSettings: (settings: QueueSettings) => void = () => {};
  #watch: Subscription | undefined;
  #pull: Subscription | undefined;
  /** One after the other: a pull ends before the next begins. */
  #aligning: Promise<void> = Promise.resolve();
  #cancelTimer: () => void = () => {};
  #stopped = false;

  constructor(ports: QueuePullPorts, queue: string, options: ConsumeOptions) {
    this.#ports = ports;
    this.#queue = queue;
    this.#options = options;
  }

  /** Makes the queue if there is none. Resolves when it pulls, or may not; throws what `onSettings` throws at first. */
  async start(onSettings: (settings: QueueSettings) => void): Promise<void> {
    this.#settings = await this.#ports.queues.ensure(this.#queue);
    onSettings(this.#settings);
    this.#onSettings = onSettings;
    this.#watch = await this.#ports.queues.watch((change) => this.#onChange(change), this.#queue);
    await this.#align();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTimer();
    await this.#watch?.stop();
    await this.#align();
  }

  #onChange({ queue, record }: QueueChange): void {
    // What cannot be read changes nothing.
    if (queue !== this.#queue || this.#stopped || record?.unreadable !== undefined) return;
    this.#settings = record?.settings ?? settingsOf({});
    this.#onSettings(this.#settings);
    this.#alignQuietly();
  }

  #align(): Promise<void> {
    const aligned = this.#aligning.catch(() => {}).then(() => this.#bringToSettings());
    this.#aligning = aligned;
    return aligned;
  }

  #alignQuietly(): void {
    this.#align().catch((error) => {
      const { log, clock } = this.#ports;
      log.warn(
        { queue: this.#queue, error: messageOf(error) },
        "the pull could not follow the queue: tried again",
      );
      this.#cancelTimer = clock.after(RETRY_MS, () => this.#alignQuietly());
    });
  }

  async #bringToSettings(): Promise<void> {
    const { source, clock, log } = this.#ports;
    const isPaused = isQueuePausedAt(this.#settings, clock.now());
    this.#cancelTimer();
    if (isPaused && !this.#stopped) this.#lookAgainLater();
    if (isPaused || this.#stopped) {
      if (this.#pull === undefined) return;
      await this.#pull.stop();
      this.#pull = undefined;
      if (isPaused) log.info({ queue: this.#queue }, "the queue is paused");
    } else this.#pull ??= await source.consume(this.#queue, this.#options);
  }

  #lookAgainLater(): void {
    const { clock } = this.#ports;
    const { pausedUntil } = this.#settings;
    if (pausedUntil === undefined) return;
    const ms = Math.min(LOOK_AGAIN_MS, Math.max(1, pausedUntil - clock.now()));
    this.#cancelTimer = clock.after(ms, () => this.#alignQuietly());
  }
}
