import { DeliverPolicy, type JetStreamClient } from "@nats-io/jetstream";
import type { Instant } from "../core/instant.js";

/** What is to be read. */
export interface ScanPlace {
  js: JetStreamClient;
  stream: string;
  subject: string;
}

/** Every message that was stored since, up to the newest that is there now, or until one is enough. */
export async function scanSince(
  { js, stream, subject }: ScanPlace,
  since: Instant,
  isEnough: (text: string) => boolean,
): Promise<void> {
  const consumer = await js.consumers.get(stream, {
    filter_subjects: subject,
    deliver_policy: DeliverPolicy.StartTime,
    opt_start_time: new Date(since).toISOString(),
  });
  try {
    const { num_pending } = await consumer.info();
    if (num_pending === 0) return;
    const messages = await consumer.consume({ max_messages: 1_000 });
    for await (const message of messages) {
      if (isEnough(message.string()) || message.info.pending === 0) break;
    }
    await messages.close();
  } finally {
    // It would go by itself, but not for minutes.
    await consumer.delete().catch(() => {});
  }
}
