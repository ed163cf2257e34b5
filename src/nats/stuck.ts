/**
 * Messages of WORK that nobody will deliver again.
 *
 * The server says once, in an advisory that may get lost, that a message has reached its delivery limit, and then leaves
 * it alone. WORK deletes what is acknowledged; so what still lies there although its consumer has everything behind it,
 * delivered and acknowledged, up to a later message, is stuck. That takes one look at each consumer, and one at the
 * oldest message of its queue where the consumer has moved since the last look.
 *
 * A server that was killed may wait for acknowledgements of messages that it has removed, and nobody can give them: it
 * drops such a one when it has tried to deliver it as often as the consumer allows, 50 seconds by default. Until then it
 * has not everything behind it, whatever it has done since; so after a kill all that it has delivered is looked at.
 */
import type { ConsumerInfo, JetStreamManager } from "@nats-io/jetstream";
import type { StuckMessage, StuckMessages } from "../core/dead-letter-store.js";
import type { Names } from "../protocol/names.js";
import type { ConsumerInfos } from "./consumer-infos.js";
import { storedMessage } from "./work.js";

/** Of one consumer, at one time. */
const MOST_FOUND = 2_000;
/** Looks after which what was clear is looked at again: a server of a cluster may have crashed unseen. */
const FORGET_EVERY = 30;

export class NatsStuckMessages implements StuckMessages {
  readonly #jsm: JetStreamManager;
  readonly #consumers: ConsumerInfos;
  readonly #names: Names;
  /** By consumer: up to here there was nothing. */
  readonly #clear = new Map<string, number>();
  #looks = 0;

  /** @param consumers of WORK */
  constructor(jsm: JetStreamManager, consumers: ConsumerInfos, names: Names) {
    this.#jsm = jsm;
    this.#consumers = consumers;
    this.#names = names;
  }

  async find(anew = false): Promise<StuckMessage[]> {
    if (++this.#looks % FORGET_EVERY === 0 || anew) this.#clear.clear();
    const found: StuckMessage[] = [];
    for await (const info of this.#consumers.all()) found.push(...(await this.#of(info, anew)));
    return found;
  }

  async #of(info: ConsumerInfo, anew: boolean): Promise<StuckMessage[]> {
    const { filter_subject: filter, max_deliver: attempts = -1, sample_freq = "0" } = info.config;
    const behind = behindOf(info);
    const last = anew ? info.delivered.stream_seq : behind;
    const key = `${info.name} ${info.created}`;
    if (filter === undefined || last === 0 || this.#clear.get(key) === last) return [];
    const found: StuckMessage[] = [];
    // Behind others there may be a million jobs of other queues, which the server would look through.
    const clear = this.#clear.get(key) ?? 0;
    for (let seq = clear + 1; found.length < MOST_FOUND; seq = (found.at(-1) as StuckMessage).seq + 1) {
      const query = { seq, next_by_subj: filter };
      const message = storedMessage(await this.#jsm.streams.getMessage(this.#names.work, query));
      if (message === null || message.seq > last) break;
      const { body: _, ...head } = message;
      found.push({
        ...{ ...head, attempts: Math.max(0, attempts) },
        ...{ areAcksTold: sample_freq !== "0", mayBeInHand: head.seq > behind },
      });
    }
    if (found.every(({ mayBeInHand }) => mayBeInHand)) this.#clear.set(key, behind);
    return found;
  }
}

/** Up to this sequence of the stream the consumer has nothing to do any more. */
function behindOf({ num_ack_pending, ack_floor, delivered }: ConsumerInfo): number {
  return num_ack_pending === 0 ? delivered.stream_seq : ack_floor.stream_seq;
}
