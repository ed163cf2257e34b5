/** WORK in memory, as its producers see it. */
import type {
  PreparedMessage,
  PublishOutcome,
  StoredMessage,
  WorkMessage,
  WorkStream,
} from "../core/ports.js";
import { headers as h } from "../protocol/headers.js";
import type { MemoryLink } from "./link.js";
import type { MemoryServer } from "./server.js";

export class MemoryWorkStream implements WorkStream {
  readonly #server: MemoryServer;
  readonly #link: MemoryLink;
  readonly #window: number;
  #unanswered = 0;
  #room: { promise: Promise<void>; open(): void } | undefined;

  /** @param window publishes that may be unanswered at once */
  constructor(server: MemoryServer, link: MemoryLink, window = 1_024) {
    this.#server = server;
    this.#link = link;
    this.#window = window;
  }

  prepare(message: WorkMessage): PreparedMessage {
    return { send: () => this.publish(message) };
  }

  async publish(message: WorkMessage): Promise<PublishOutcome> {
    const fault = this.#server.faults.publish?.(message);
    this.#unanswered++;
    const outcome = await this.#link.request<PublishOutcome>(
      () => store(this.#server, message),
      fault,
      (error) => ({ kind: "unknown", error }),
    );
    this.#unanswered--;
    this.#room?.open();
    this.#room = undefined;
    return outcome;
  }

  ready(): Promise<void> | undefined {
    if (this.#unanswered < this.#window) return undefined;
    if (this.#room === undefined) {
      let open = () => {};
      const promise = new Promise<void>((resolve) => {
        open = resolve;
      });
      this.#room = { promise, open };
    }
    return this.#room.promise;
  }

  lastOn(subject: string): Promise<StoredMessage | null> {
    return this.#link.ask("last on subject", () => this.#server.work.last(subject));
  }

  at(seq: number): Promise<StoredMessage | null> {
    return this.#link.ask("message", () => this.#server.work.at(seq));
  }

  remove(seq: number): Promise<void> {
    return this.#link.ask("remove", () => void this.#server.work.remove(seq));
  }

  tombstones(storedBefore = Number.POSITIVE_INFINITY): Promise<StoredMessage[]> {
    const { work, names } = this.#server;
    const prefix = names.tombstones.slice(0, -1);
    return this.#link.ask("tombstones", () =>
      [...work.messages()].filter(
        ({ subject, storedAt }) => subject.startsWith(prefix) && storedAt < storedBefore,
      ),
    );
  }
}

function store(server: MemoryServer, { subject, msgId, headers, body }: WorkMessage): PublishOutcome {
  const stream = subject.startsWith(server.names.enqueue("")) ? server.intake : server.work;
  const answer = server.store(stream, { subject, headers: { [h.msgId]: msgId, ...headers }, body });
  return answer.kind === "wrong last sequence" ? { kind: "refused", reason: answer.kind } : answer;
}
