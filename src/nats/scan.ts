/**
 * Reads what a stream holds, up to its end.
 *
 * The client's `consume()` has no end: who reads until a message says that none is behind it waits for ever, if that last
 * message is removed before it is handed out. Here a stretch is asked for, which is over after a second, and then the server
 * is asked whether there is more.
 */
import type { ConsumerInfo, JetStreamClient, JsMsg, OrderedConsumerOptions } from "@nats-io/jetstream";
import { DeliverPolicy } from "@nats-io/jetstream";
import { PunctualError } from "../core/errors.js";
import type { Instant } from "../core/instant.js";

/** What is to be read. */
export interface ScanPlace {
  js: JetStreamClient;
  stream: string;
  from: Partial<OrderedConsumerOptions>;
  /** Messages that are asked for at once. Default 1,000. */
  ahead?: number;
}

/** The least that the client takes. */
const EXPIRES_MS = 1_000;

/**
 * Every message that is there, in order, or until one is enough.
 * @throws unavailable when not all that was sent has come: what was read may lack some
 */
export async function scan(
  { js, stream, from, ahead = 1_000 }: ScanPlace,
  isEnough: (message: JsMsg) => boolean,
): Promise<void> {
  const consumer = await js.consumers.get(stream, from);
  try {
    let last: JsMsg | undefined;
    let isMore = (await consumer.info(true)).num_pending > 0;
    while (isMore) {
      let came = 0;
      for await (const message of await consumer.fetch({ max_messages: ahead, expires: EXPIRES_MS })) {
        last = message;
        came++;
        if (isEnough(message) || message.info.pending === 0) return;
      }
      // Not asked without need: servers before 2.9.15 may count for each message from then on, see runs-reader.ts.
      isMore = came >= ahead || hasMore(await consumer.info(), last);
    }
  } finally {
    // It would go by itself, but not for minutes.
    await consumer.delete().catch(() => {});
  }
}

/** Where to begin: at what was stored from an instant of the server's clock on. */
export const storedSince = (since: Instant) => ({
  deliver_policy: DeliverPolicy.StartTime,
  opt_start_time: new Date(since).toISOString(),
});

/** Every text that was stored since, or until one is enough. */
export function scanSince(
  { js, stream, subject }: { js: JetStreamClient; stream: string; subject: string },
  since: Instant,
  isEnough: (text: string) => boolean,
): Promise<void> {
  const from = { filter_subjects: subject, ...storedSince(since) };
  return scan({ js, stream, from }, (message) => isEnough(message.string()));
}

/** What a connection has lost on its way is not pending any more. A consumer that was made anew counts anew. */
function hasMore(
  { name, num_pending, delivered, stream_name }: ConsumerInfo,
  last: JsMsg | undefined,
): boolean {
  const received = last?.info.consumer === name ? last.info.deliverySequence : 0;
  if (num_pending === 0 && delivered.consumer_seq > received)
    throw new PunctualError("unavailable", `${stream_name}: not all that was read has come; try again`);
  return num_pending > 0;
}
