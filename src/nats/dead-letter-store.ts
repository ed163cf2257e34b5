/** Dead letters, read and removed. */
import { DeliverPolicy, type JetStreamClient, type JetStreamManager } from "@nats-io/jetstream";
import type { DeadLetterStore, LetterHead, LetterRange } from "../core/dead-letter-store.js";
import type { StoredMessage } from "../core/ports.js";
import type { Names } from "../protocol/names.js";
import { scan } from "./scan.js";
import { headersOf, storedMessage } from "./work.js";

/** Given by the server with messages of which only the headers are asked for. */
const BODY_BYTES = "Nats-Msg-Size";

export class NatsDeadLetterStore implements DeadLetterStore {
  readonly #js: JetStreamClient;
  readonly #jsm: JetStreamManager;
  readonly #names: Names;

  constructor(js: JetStreamClient, jsm: JetStreamManager, names: Names) {
    this.#js = js;
    this.#jsm = jsm;
    this.#names = names;
  }

  async at(id: number): Promise<StoredMessage | null> {
    return storedMessage(await this.#jsm.streams.getMessage(this.#names.dead, { seq: id }));
  }

  async remove(id: number): Promise<boolean> {
    try {
      return await this.#jsm.streams.deleteMessage(this.#names.dead, id, false);
    } catch (error) {
      if ((await this.at(id)) !== null) throw error;
      return false;
    }
  }

  async bounds(): Promise<{ first: number; next: number }> {
    const { state } = await this.#jsm.streams.info(this.#names.dead);
    return { first: state.first_seq, next: state.last_seq + 1 };
  }

  async scan({ queue, from, before }: LetterRange, visit: (letter: LetterHead) => boolean): Promise<void> {
    if (from >= before) return;
    const start = {
      filter_subjects: queue === undefined ? this.#names.deadSubjects : this.#names.deadLetter(queue),
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: Math.max(1, from),
      headers_only: true,
    };
    await scan({ js: this.#js, stream: this.#names.dead, from: start }, (message) => {
      const { seq, subject, time } = message;
      const headers = headersOf(message.headers);
      const head = { seq, subject, headers, storedAt: time.getTime(), bodyBytes: sizeOf(headers) };
      return seq >= before || !visit(head);
    });
  }
}

const sizeOf = (headers: Readonly<Record<string, string>>): number => Number(headers[BODY_BYTES] ?? 0);
