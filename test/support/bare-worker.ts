/** A worker that knows nothing of Punctual: it pulls all it can get from a queue's consumer, and acknowledges. */
import type { JsMsg } from "@nats-io/jetstream";
import { onTestFinished } from "vitest";
import type { Stage } from "./stage.js";

export interface Delivered {
  runId: string;
  key: string;
  attempt: number;
  /** When the server stored it in WORK, in milliseconds. */
  storedAt: number;
  seq: number;
}

export class BareWorker {
  readonly delivered: Delivered[] = [];
  /** In the order of acknowledgement. */
  readonly done: Delivered[] = [];
  /** By key, how many were at work at once at most. */
  readonly most = new Map<string, number>();
  readonly #running = new Map<string, number>();

  /** @param act resolves when the work is done; a number puts the job back for so many milliseconds */
  static async start(
    stage: Stage,
    queue: string,
    act: (job: Delivered) => Promise<unknown>,
  ): Promise<BareWorker> {
    const worker = new BareWorker();
    const consumer = await stage.js.consumers.get(stage.names.work, stage.names.consumer(queue));
    const messages = await consumer.consume({ max_messages: 1_000 });
    onTestFinished(async () => void (await messages.close()));
    void (async () => {
      for await (const message of messages) void worker.#work(message, act);
    })();
    return worker;
  }

  async #work(message: JsMsg, act: (job: Delivered) => Promise<unknown>): Promise<void> {
    const { info, headers } = message;
    const job = {
      runId: headers?.get("Punctual-Run-Id") ?? "",
      key: headers?.get("Punctual-Key") ?? "",
      attempt: info.deliveryCount,
      storedAt: info.timestampNanos / 1e6,
      seq: message.seq,
    };
    this.delivered.push(job);
    this.#count(job.key, 1);
    const delay = await act(job);
    this.#count(job.key, -1);
    if (typeof delay === "number") message.nak(delay);
    else {
      this.done.push(job);
      message.ack();
    }
  }

  #count(key: string, change: number): void {
    const running = (this.#running.get(key) ?? 0) + change;
    this.#running.set(key, running);
    this.most.set(key, Math.max(running, this.most.get(key) ?? 0));
  }
}
