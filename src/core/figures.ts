/** What only the server can say of itself, for those who measure: asked now and then, by one of all orchestrators. */

export interface QueueFigures {
  queue: string;
  lane: string;
  /** Jobs that nobody has. */
  waiting: number;
  /** Jobs that workers have. */
  inFlight: number;
  /** How long ago the server stored the oldest of them, by the server's clock; null when there is none. */
  oldestAgeMs: number | null;
}

export interface ServerFigures {
  queues(): Promise<QueueFigures[]>;
  /** Dead letters that are kept, by queue. */
  deadLetters(): Promise<ReadonlyMap<string, number>>;
  /** The server's clock minus ours in milliseconds, as exact as half the time that a write takes. */
  clockOffset(): Promise<number>;
}

/** Publishes to WORK that have no answer yet, and how many there may be. */
export interface PublishWindow {
  unanswered: number;
  size: number;
}
