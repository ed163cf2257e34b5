/** Letting jobs in: what a queue says of them, whether it has room, whether their key may be used again. */
import type { ChainStore } from "../core/chain-store.js";
import { PunctualError } from "../core/errors.js";
import type { Clock } from "../core/ports.js";
import type { QueueSettings } from "../core/queue.js";
import type { NewJob } from "../core/timer.js";
import type { ClaimStore } from "../core/unique-period.js";
import { ChainDoor, type Refused } from "./chain-door.js";
import { Claims } from "./claims.js";
import { type Accepted, type AcceptPorts, accept, type LetIn } from "./enqueue.js";
import { QueueDoor, type QueueDoorPorts } from "./queue-door.js";

export interface AdmissionPorts extends QueueDoorPorts {
  claims: ClaimStore;
  chains: ChainStore;
  clock: Pick<Clock, "now" | "monotonic">;
}

/** What of a job matters for its key. */
interface Keyed {
  queue: string;
  runId: string;
  unique?: string | undefined;
  uniqueForMs?: number | undefined;
}

export class Admission {
  readonly #door: QueueDoor;
  readonly #claims: Claims;
  readonly #chains: ChainDoor;

  constructor(ports: AdmissionPorts) {
    this.#door = new QueueDoor(ports);
    this.#claims = new Claims(ports.claims, ports.clock);
    this.#chains = new ChainDoor(ports.chains);
  }

  /** Makes the queue if there is none. At most about a second old. */
  settings(queue: string): QueueSettings | Promise<QueueSettings> {
    return this.#door.settings(queue);
  }

  /** Counts one more job in; or says why the queue has no room for it. After `settings`. */
  refusal(queue: string): string | null {
    return this.#door.refusal(queue);
  }

  /** The same for those who wait for an answer. @throws full */
  checkRoom(queue: string): void {
    const full = this.#door.refusal(queue);
    if (full !== null) throw new PunctualError("full", full);
  }

  /**
   * Lets a job in, or answers that its key is taken. What waits for its time takes no room in the queue yet.
   *
   * @throws full, and what `accept` throws
   */
  admit(ports: AcceptPorts, keyed: Omit<Keyed, "runId">, job: NewJob): Promise<Accepted> {
    const isPlain = job.following === undefined && keyed.uniqueForMs === undefined;
    if (!isPlain) return this.#admitByRecords(ports, keyed, job);
    const full = job.waiting === undefined ? this.#door.refusal(keyed.queue) : null;
    return full === null ? accept(ports, job) : Promise.reject(new PunctualError("full", full));
  }

  /** Has a job let in by `letIn` when what follows upon it is kept. @throws what `ChainDoor.through` throws */
  async followed<T extends { accepted: boolean; isRepeat?: boolean }>(
    { following }: Pick<NewJob, "following">,
    letIn: () => Promise<T>,
  ): Promise<T | Refused> {
    return following === undefined ? letIn() : this.#chains.through(following, letIn);
  }

  /** Whether something is to follow upon a run that is not known to be over, by the key of its record. */
  isAwaited(chainKey: string): Promise<boolean> {
    return this.#chains.isOpen(chainKey);
  }

  /** Of jobs whose key or whose followers are written down before they are let in. */
  async #admitByRecords(ports: AcceptPorts, keyed: Omit<Keyed, "runId">, job: NewJob): Promise<Accepted> {
    const { runId } = job;
    const { isRepeat: _, ...outcome } = await this.followed<Refused | LetIn>(job, async () => {
      if (job.waiting === undefined) this.checkRoom(keyed.queue);
      return this.within({ ...keyed, runId }, () => accept(ports, job));
    });
    return { runId, ...outcome };
  }

  /** Has a job let in by `letIn`, unless its key is taken for a period. */
  async within<T extends { accepted: boolean }>(
    { queue, runId, unique: key, uniqueForMs: forMs }: Keyed,
    letIn: () => Promise<T>,
  ): Promise<T | { accepted: false }> {
    if (key === undefined || forMs === undefined) return letIn();
    return (await this.#claims.within({ queue, key, runId, forMs }, letIn)) ?? { accepted: false };
  }
}
