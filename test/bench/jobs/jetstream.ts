/**
 * JetStream alone, through nats.js: a program that only publishes and pulls, on the server that Punctual has too. No
 * history, no retries, no timers: the producer itself waits until jobs are due.
 */
import { randomUUID } from "node:crypto";
import { AckPolicy, DiscardPolicy, jetstreamManager, RetentionPolicy, StorageType } from "@nats-io/jetstream";
import { connect, createInbox, type Msg, type MsgHdrs } from "@nats-io/transport-node";
import { headerBlock } from "../../../src/nats/publisher.js";
import type { Arm, Job } from "./arm.js";
import { pause, serve } from "./serve.js";

const [servers = ""] = process.argv.slice(2);
const STREAM = "ALONE";
/** Messages that may be unanswered at once. */
const WINDOW = 1_024;
/** Messages of a consumer that may be unacknowledged at once: what a worker has, and acknowledgements on their way. */
const MAX_ACK_PENDING = 10_000;
const ACK = Buffer.from("+ACK");

interface Message {
  dueAt: number;
  subject: string;
  body: string;
  headers: MsgHdrs;
}

const connection = await connect({ servers, noAsyncTraces: true });
const jsm = await jetstreamManager(connection);

/** Publishes with one inbox for all answers, which are counted. */
class Publisher {
  readonly #inbox = createInbox();
  #unanswered = 0;
  #failure: Error | undefined;
  #waiting: { until: number; resolve(): void } | undefined;
  readonly #answers = connection.subscribe(this.#inbox, {
    callback: (_, answer) => this.#onAnswer(answer),
  });

  /**
   * Undefined when there is room for another, else a promise of it: awaited only then, as the client sends together what
   * is published in one go.
   *
   * @throws Error when one of the messages before was not stored
   */
  ready(): Promise<void> | undefined {
    return this.#unanswered < WINDOW ? undefined : this.#untilUnanswered(WINDOW / 2);
  }

  publish({ subject, body, headers }: Message): void {
    this.#unanswered++;
    connection.publish(subject, body, { headers, reply: this.#inbox });
  }

  /**
   * Waits for the last answers.
   *
   * @throws Error when one of the messages was not stored
   */
  async end(): Promise<void> {
    await this.#untilUnanswered(0);
    this.#answers.unsubscribe();
  }

  async #untilUnanswered(until: number): Promise<void> {
    if (this.#unanswered > until)
      await new Promise<void>((resolve) => {
        this.#waiting = { until, resolve };
      });
    if (this.#failure !== undefined) throw this.#failure;
  }

  #onAnswer(answer: Msg): void {
    this.#unanswered--;
    const text = answer.string();
    if (!text.includes('"seq":') || text.includes('"duplicate":') || text.includes('"error":'))
      this.#failure ??= new Error(`not stored: ${text || "no stream answers"}`);
    if (this.#waiting !== undefined && this.#unanswered <= this.#waiting.until) {
      const { resolve } = this.#waiting;
      this.#waiting = undefined;
      resolve();
    }
  }
}

function messageOf(queue: string, job: Job): Message {
  const id = randomUUID();
  return {
    dueAt: job.dueAt ?? 0,
    subject: `alone.${queue}.${id}`,
    body: JSON.stringify(job),
    headers: headerBlock({ "Job-Id": id }, id),
  };
}

/** Those that are due at once; the others are put aside. */
function* messagesOf(queue: string, jobs: Iterable<Job>, later: Message[]): Generator<Message> {
  for (const job of jobs) {
    const message = messageOf(queue, job);
    if (job.dueAt === undefined) yield message;
    else later.push(message);
  }
}

/** Each when it is due, in the order in which they are given. */
async function publishAll(messages: Iterable<Message>): Promise<void> {
  const publisher = new Publisher();
  for (const message of messages) {
    for (let early = message.dueAt - Date.now(); early > 0; early = message.dueAt - Date.now())
      await pause(early);
    const room = publisher.ready();
    if (room !== undefined) await room;
    publisher.publish(message);
  }
  await publisher.end();
}

const arm: Arm = {
  open: async (queue) => {
    await jsm.streams.add({
      name: STREAM,
      subjects: ["alone.>"],
      storage: StorageType.File,
      retention: RetentionPolicy.Workqueue,
      discard: DiscardPolicy.New,
      max_msgs_per_subject: 1,
      discard_new_per_subject: true,
    });
    await jsm.consumers.add(STREAM, {
      durable_name: queue,
      filter_subject: `alone.${queue}.*`,
      ack_policy: AckPolicy.Explicit,
      max_ack_pending: MAX_ACK_PENDING,
    });
  },
  enqueue: async (queue, jobs) => {
    const later: Message[] = [];
    await publishAll(messagesOf(queue, jobs, later));
    // A job that is lost then never comes to the worker, so that its measure fails.
    publishAll(later).catch((error: Error) => console.error(`JetStream alone: ${error.message}`));
  },
  work: async (queue, { concurrency, onJob }) => {
    const inbox = createInbox();
    let asked = 0;
    const ask = () => {
      const batch = concurrency - asked;
      asked = concurrency;
      const subject = `$JS.API.CONSUMER.MSG.NEXT.${STREAM}.${queue}`;
      connection.publish(subject, JSON.stringify({ batch }), { reply: inbox });
    };
    const subscription = connection.subscribe(inbox, {
      callback: (_, message) => {
        // Anything else has no reply: the server refuses to give more.
        if (message.reply === undefined || message.reply === "") {
          console.error(
            `JetStream alone: no more jobs: ${message.headers?.code} ${message.headers?.description}`,
          );
          return;
        }
        onJob(message.json<Job>());
        connection.publish(message.reply, ACK);
        if (--asked <= concurrency / 2) ask();
      },
    });
    ask();
    await connection.flush();
    return async () => subscription.unsubscribe();
  },
  pending: async (queue) => {
    const consumer = await jsm.consumers.info(STREAM, queue);
    return consumer.num_pending + consumer.num_ack_pending;
  },
  close: () => connection.close(),
};
serve(arm);
