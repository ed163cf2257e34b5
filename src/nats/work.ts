/** WORK, as its producers see it. */
import type { JetStreamManager, StoredMsg } from "@nats-io/jetstream";
import type { MsgHdrs } from "@nats-io/transport-node";
import type {
  PreparedMessage,
  PublishOutcome,
  StoredMessage,
  WorkMessage,
  WorkStream,
} from "../core/ports.js";
import type { Instant } from "../core/schedule.js";
import type { Names } from "../protocol/names.js";
import { headerBlock, type Publisher } from "./publisher.js";

export class NatsWorkStream implements WorkStream {
  readonly #publisher: Publisher;
  readonly #jsm: JetStreamManager;
  readonly #names: Names;
  #noTombstoneTo = 0;

  constructor(publisher: Publisher, jsm: JetStreamManager, names: Names) {
    this.#publisher = publisher;
    this.#jsm = jsm;
    this.#names = names;
  }

  prepare({ subject, msgId, headers, body }: WorkMessage): PreparedMessage {
    // Only what is sent is held on to: there may be thousands that wait for their time.
    return new Prepared(this.#publisher, subject, headerBlock(headers, msgId), body);
  }

  publish({ subject, msgId, headers, body }: WorkMessage): Promise<PublishOutcome> {
    return this.#publisher.send(subject, headerBlock(headers, msgId), body);
  }

  ready(): Promise<void> | undefined {
    return this.#publisher.ready();
  }

  async lastOn(subject: string): Promise<StoredMessage | null> {
    return storedMessage(await this.#jsm.streams.getMessage(this.#names.work, { last_by_subj: subject }));
  }

  async at(seq: number): Promise<StoredMessage | null> {
    return storedMessage(await this.#jsm.streams.getMessage(this.#names.work, { seq }));
  }

  async remove(seq: number): Promise<void> {
    try {
      await this.#jsm.streams.deleteMessage(this.#names.work, seq, false);
    } catch (error) {
      if ((await this.at(seq)) !== null) throw error;
    }
  }

  /** The server looks through all that lies before the next one, and there may be a million jobs: so once, if not all are asked for. */
  async tombstones(storedBefore?: Instant): Promise<StoredMessage[]> {
    const { streams } = this.#jsm;
    const { last_seq } = (await streams.info(this.#names.work)).state;
    const found: StoredMessage[] = [];
    let from = storedBefore === undefined ? 1 : this.#noTombstoneTo + 1;
    for (;;) {
      const query = { seq: from, next_by_subj: this.#names.tombstones };
      const message = storedMessage(await streams.getMessage(this.#names.work, query));
      if (found.length === 0) this.#noTombstoneTo = Math.max(from, message?.seq ?? last_seq + 1) - 1;
      if (message === null || message.storedAt >= (storedBefore ?? Number.POSITIVE_INFINITY)) return found;
      found.push(message);
      from = message.seq + 1;
    }
  }
}

class Prepared implements PreparedMessage {
  readonly #publisher: Publisher;
  readonly #subject: string;
  readonly #headers: MsgHdrs;
  readonly #body: Uint8Array;

  constructor(publisher: Publisher, subject: string, headers: MsgHdrs, body: Uint8Array) {
    this.#publisher = publisher;
    this.#subject = subject;
    this.#headers = headers;
    this.#body = body;
  }

  send(): Promise<PublishOutcome> {
    return this.#publisher.send(this.#subject, this.#headers, this.#body);
  }
}

/** A message as read from a stream. */
export function storedMessage(message: StoredMsg | null): StoredMessage | null {
  if (message === null) return null;
  return {
    seq: message.seq,
    subject: message.subject,
    headers: headersOf(message.header),
    body: message.data,
    storedAt: message.time.getTime(),
  };
}

/** Headers as a plain record; of a header given twice, the last value. */
export function headersOf(header: StoredMsg["header"] | undefined): Record<string, string> {
  const record: Record<string, string> = {};
  if (header === undefined) return record;
  for (const [key, values] of header) record[key] = values.at(-1) ?? "";
  return record;
}
