/** Dead letters in memory, read and removed; what the server tells of queued jobs; what is stuck in WORK. */
import type {
  DeadLetterStore,
  LetterHead,
  LetterRange,
  QueuedJobs,
  StuckMessage,
  StuckMessages,
} from "../core/dead-letter-store.js";
import type { StoredMessage } from "../core/ports.js";
import { headers as h } from "../protocol/headers.js";
import type { MemoryLink } from "./link.js";
import type { MemoryServer } from "./server.js";

export class MemoryDeadLetterStore implements DeadLetterStore {
  readonly #server: MemoryServer;
  readonly #link: MemoryLink;

  constructor(server: MemoryServer, link: MemoryLink) {
    this.#server = server;
    this.#link = link;
  }

  at(id: number): Promise<StoredMessage | null> {
    return this.#link.ask("dead letter", () => this.#server.dead.at(id));
  }

  remove(id: number): Promise<boolean> {
    return this.#link.ask("remove dead letter", () => this.#server.dead.remove(id));
  }

  bounds(): Promise<{ first: number; next: number }> {
    return this.#link.ask("bounds of dead letters", () => {
      const { dead } = this.#server;
      const next = dead.lastSequence + 1;
      for (const { seq } of dead.messages()) return { first: seq, next };
      return { first: next, next };
    });
  }

  scan({ queue, from, before }: LetterRange, visit: (letter: LetterHead) => boolean): Promise<void> {
    const { dead, names } = this.#server;
    return this.#link.ask("dead letters", () => {
      for (const { body, ...head } of dead.messages()) {
        if (head.seq < from || (queue !== undefined && head.subject !== names.deadLetter(queue))) continue;
        if (head.seq >= before || !visit({ ...head, bodyBytes: body.length })) return;
      }
    });
  }
}

export class MemoryQueuedJobs implements QueuedJobs {
  readonly #server: MemoryServer;
  readonly #link: MemoryLink;

  constructor(server: MemoryServer, link: MemoryLink) {
    this.#server = server;
    this.#link = link;
  }

  has(workSubject: string, runId: string, since: number, life?: number): Promise<boolean> {
    const { runs, names } = this.#server;
    return this.#link.ask("queued", () =>
      runs
        .of(names.queued(workSubject))
        .filter(({ headers, storedAt }) => storedAt >= since && headers[h.runId] === runId)
        .some(({ headers }) => life === undefined || headers[h.parentLife] === String(life)),
    );
  }
}

export class MemoryStuckMessages implements StuckMessages {
  readonly #server: MemoryServer;
  readonly #link: MemoryLink;

  constructor(server: MemoryServer, link: MemoryLink) {
    this.#server = server;
    this.#link = link;
  }

  find(anew = false): Promise<StuckMessage[]> {
    return this.#link.ask("stuck messages", () =>
      [...this.#server.queues.values()].flatMap(({ exhausted, inHand, areAcksTold }) => [
        ...[...exhausted].flatMap(([seq, attempts]) =>
          this.#at(seq, { attempts, areAcksTold, mayBeInHand: false }),
        ),
        ...(anew ? inHand : []).flatMap((seq) =>
          this.#at(seq, { attempts: 0, areAcksTold, mayBeInHand: true }),
        ),
      ]),
    );
  }

  #at(seq: number, known: Pick<StuckMessage, "attempts" | "areAcksTold" | "mayBeInHand">): StuckMessage[] {
    const message = this.#server.work.at(seq);
    if (message === null) return [];
    const { body: _, ...head } = message;
    return [{ ...head, ...known }];
  }
}
