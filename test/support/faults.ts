/** Ports that go wrong on purpose: each passes everything on until a test says otherwise. */
import type { LeaseRecord } from "../../src/core/lease.js";
import type {
  CasOutcome,
  LeaseHint,
  LeaseStore,
  PreparedMessage,
  PublishOutcome,
  RunEvent,
  RunLog,
  ScheduleChanges,
  ScheduleStore,
  SlotRecord,
  StoredMessage,
  Subscription,
  Versioned,
  WorkMessage,
  WorkStream,
} from "../../src/core/ports.js";
import type { Schedule, ScheduleDefinition } from "../../src/core/schedule.js";

export const noAnswer = (): { kind: "unknown"; error: Error } => ({
  kind: "unknown",
  error: new Error("the answer was lost"),
});

/** An answer that never comes. */
export const never = <T>(): Promise<T> => new Promise<T>(() => {});

/** A door that a test opens. */
export function gate(): { opened: Promise<void>; open(): void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

export const isTombstone = ({ subject }: { subject: string }): boolean => subject.includes("._void.");

type Publish = () => Promise<PublishOutcome>;

export class FaultyWork implements WorkStream {
  readonly #inner: WorkStream;
  /** Message ids in the order of sending, tombstones left out. */
  readonly published: string[] = [];
  /** What becomes of a run's publish; `send` really sends it. */
  onRun: (message: WorkMessage, send: Publish) => Promise<PublishOutcome> = (_message, send) => send();
  onTombstone: (message: WorkMessage, send: Publish) => Promise<PublishOutcome> = (_message, send) => send();
  beforeLastOn: (subject: string) => Promise<void> = async () => {};

  constructor(inner: WorkStream) {
    this.#inner = inner;
  }

  prepare(message: WorkMessage): PreparedMessage {
    return { send: () => this.publish(message) };
  }

  publish(message: WorkMessage): Promise<PublishOutcome> {
    const send = () => this.#inner.publish(message);
    if (isTombstone(message)) return this.onTombstone(message, send);
    this.published.push(message.msgId);
    return this.onRun(message, send);
  }

  ready(): Promise<void> | undefined {
    return this.#inner.ready();
  }

  async lastOn(subject: string): Promise<StoredMessage | null> {
    await this.beforeLastOn(subject);
    return this.#inner.lastOn(subject);
  }

  at(seq: number): Promise<StoredMessage | null> {
    return this.#inner.at(seq);
  }

  remove(seq: number): Promise<void> {
    return this.#inner.remove(seq);
  }

  tombstones(storedBefore?: number): Promise<StoredMessage[]> {
    return this.#inner.tombstones(storedBefore);
  }
}

type Write = () => Promise<CasOutcome>;

export class FaultyLeases implements LeaseStore {
  readonly #inner: LeaseStore;
  /** What becomes of a write; `send` really sends it. */
  onWrite: (record: LeaseRecord, send: Write) => Promise<CasOutcome> = (_record, send) => send();

  constructor(inner: LeaseStore) {
    this.#inner = inner;
  }

  read(shard: number): Promise<Versioned<LeaseRecord> | null> {
    return this.#inner.read(shard);
  }

  write(shard: number, record: LeaseRecord, revision: number): Promise<CasOutcome> {
    return this.onWrite(record, () => this.#inner.write(shard, record, revision));
  }

  watch(onChange: (hint: LeaseHint) => void): Promise<Subscription> {
    return this.#inner.watch(onChange);
  }
}

export class FaultyRuns implements RunLog {
  readonly #inner: RunLog;
  /** What becomes of a slot record; `send` really sends it. */
  onSlots: (record: SlotRecord, send: () => Promise<void>) => Promise<void> = (_record, send) => send();

  constructor(inner: RunLog) {
    this.#inner = inner;
  }

  append(event: RunEvent): Promise<void> {
    return this.#inner.append(event);
  }

  appendSlots(record: SlotRecord): Promise<void> {
    return this.onSlots(record, () => this.#inner.appendSlots(record));
  }

  slotsAfter(shard: number, from: number, onRead?: () => Promise<void>) {
    return this.#inner.slotsAfter(shard, from, onRead);
  }

  hasAny(runId: string): Promise<boolean> {
    return this.#inner.hasAny(runId);
  }

  has(runId: string, type: string): Promise<boolean> {
    return this.#inner.has(runId, type);
  }

  lastSequence(): Promise<number> {
    return this.#inner.lastSequence();
  }
}

/** Definitions whose watch can fall behind. */
export class LaggingSchedules implements ScheduleStore {
  readonly #inner: ScheduleStore;
  #held: (() => void)[] | undefined;
  /** Times someone asked to move the sequence, because the view did not come. */
  touches = 0;

  constructor(inner: ScheduleStore) {
    this.#inner = inner;
  }

  /** From now on deliveries wait. */
  lag(): void {
    this.#held ??= [];
  }

  /** Deliveries that wait. */
  get waiting(): number {
    return this.#held?.length ?? 0;
  }

  /** Everything that waited is delivered, in order. */
  catchUp(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const deliver of held) deliver();
  }

  watch(onChanges: (changes: ScheduleChanges) => void): Promise<Subscription> {
    return this.#inner.watch((changes) => {
      if (this.#held === undefined) onChanges(changes);
      else this.#held.push(() => onChanges(changes));
    });
  }

  get(id: string): Promise<Schedule | null> {
    return this.#inner.get(id);
  }

  unreadableAt(id: string): Promise<number | null> {
    return this.#inner.unreadableAt(id);
  }

  history(id: string): Promise<Schedule[]> {
    return this.#inner.history(id);
  }

  getRevision(id: string, revision: number): Promise<Schedule | null> {
    return this.#inner.getRevision(id, revision);
  }

  write(id: string, definition: ScheduleDefinition, revision: number): Promise<CasOutcome> {
    return this.#inner.write(id, definition, revision);
  }

  lastSequence(): Promise<number> {
    return this.#inner.lastSequence();
  }

  touch(): Promise<void> {
    this.touches++;
    return this.#inner.touch();
  }
}
