/**
 * Jobs that are over, and still lie in WORK.
 *
 * A server that is killed may forget that it has removed messages, and remember that their consumer was done with them:
 * with nats-server 2.9.10, hundreds of those that were acknowledged in the last moments before. Nobody delivers such a
 * message again, and its subject is taken. RUNS knows that it is over: a worker tells of the end before it acknowledges,
 * and of bare workers the server tells.
 *
 * One that may be in hand is over only when nothing is left to do: a worker tells of a next attempt, which waits elsewhere,
 * before it stores what waits.
 */
import type { StuckMessage } from "../core/dead-letter-store.js";
import type { PastEvent, RunHistory } from "../core/lookback.js";
import { isLongWait } from "../core/retry.js";
import type { RunFact } from "../core/run-fact.js";
import type { RunsReader } from "../core/runs-reader.js";
import { terminalEvents } from "../protocol/events.js";
import type { Names } from "../protocol/names.js";
import { runIdOfMessage } from "../protocol/run-id.js";
import { parseJobSubject } from "../protocol/subjects.js";
import { RunTeller } from "../protocol/told.js";

export interface LostRemovalPorts {
  history: Pick<RunHistory, "lastEvent">;
  reader: RunsReader;
  names: Names;
}

/** Messages whose runs are asked for at once. */
const TOGETHER = 16;
/** After one of these a run has no use for its message; `retried`: if it waits elsewhere then. */
const ENDS: readonly string[] = [...terminalEvents, "retried"];
/** What tells, by the sequence in WORK, that a message was done with. */
const DONE: readonly RunFact["kind"][] = ["succeeded", "acked", "terminated"];

export class LostRemovals {
  readonly #ports: LostRemovalPorts;
  readonly #teller: RunTeller;

  constructor(ports: LostRemovalPorts) {
    this.#ports = ports;
    this.#teller = new RunTeller(ports.names);
  }

  /** The sequences of those of which RUNS tells that they are over. */
  async among(stuck: readonly StuckMessage[]): Promise<ReadonlySet<number>> {
    const over = new Set<number>();
    const others: StuckMessage[] = [];
    for (let from = 0; from < stuck.length; from += TOGETHER) {
      const some = stuck.slice(from, from + TOGETHER);
      const haveEnded = await Promise.all(some.map((message) => this.#hasEnded(message)));
      for (const [index, message] of some.entries())
        if (haveEnded[index]) over.add(message.seq);
        else others.push(message);
    }
    if (others.length === 0) return over;
    const { first: from, last: to } = await this.#ports.reader.bounds();
    for (const [subject, some] of this.#bySubject(others))
      for (const seq of await this.#doneOn(subject, some, { from, to })) over.add(seq);
    return over;
  }

  /** By an event of its own. An earlier run with the same id was over before this one was stored. */
  async #hasEnded(message: StuckMessage): Promise<boolean> {
    const end = await this.#ports.history.lastEvent(runIdOfMessage(message), ENDS);
    if (end === null || end.at < message.storedAt) return false;
    return end.type !== "retried" || (!message.mayBeInHand && isAway(end));
  }

  /** Where RUNS tells of many ends: in records of workers, and in the server's words of a consumer. */
  #bySubject(stuck: readonly StuckMessage[]): Map<string, StuckMessage[]> {
    const { names } = this.#ports;
    const bySubject = new Map<string, StuckMessage[]>();
    for (const message of stuck) {
      const place = parseJobSubject(message.subject);
      if (place === null) continue;
      const { queue, lane } = place;
      const done = [names.acks(queue, lane), names.terminations(queue, lane)];
      for (const subject of [names.ends(queue), ...done])
        bySubject.set(subject, [...(bySubject.get(subject) ?? []), message]);
    }
    return bySubject;
  }

  async #doneOn(
    subject: string,
    stuck: readonly StuckMessage[],
    range: { from: number; to: number },
  ): Promise<number[]> {
    const sought = new Set(stuck.map(({ seq }) => seq));
    const since = Math.min(...stuck.map(({ storedAt }) => storedAt));
    const done: number[] = [];
    await this.#ports.reader.read({ ...range, since, subject }, (message) => {
      for (const { fact } of this.#teller.read(message))
        if (fact.seq !== undefined && sought.has(fact.seq) && DONE.includes(fact.kind)) done.push(fact.seq);
    });
    return done;
  }
}

/** Its next attempt has a message of its own. */
function isAway({ data }: PastEvent): boolean {
  return typeof data.delayMs === "number" && isLongWait(data.delayMs);
}
