/** What alerts keep: rules and expected heartbeats as people define them, open breaches, and what was seen of runs. */
import type { CasOutcome, Subscription } from "./ports.js";

/** `rule` and `heartbeat` are definitions; `state` and `seen` are written by the orchestrator that looks. */
export type AlertRecordKind = "rule" | "heartbeat" | "state" | "seen";

export interface AlertRecord {
  kind: AlertRecordKind;
  /** One token, or more with dots between. */
  name: string;
  text: string;
  revision: number;
}

export type RecordId = Pick<AlertRecord, "kind" | "name">;

export interface AlertStore {
  /** From the leader. */
  get(id: RecordId): Promise<AlertRecord | null>;
  /** Writes if the revision is still this one; 0: if there is none. */
  write(id: RecordId, text: string, revision: number): Promise<CasOutcome>;
  /** Removes if the revision is still this one. Who watches is told. */
  remove(id: RecordId, revision: number): Promise<CasOutcome>;
  /** As `remove`, but nothing is left of it: a watch may not be told. */
  erase(id: RecordId, revision: number): Promise<CasOutcome>;
  list(kind: AlertRecordKind): Promise<AlertRecord[]>;
  /** Every definition and every change, in order; `text` is null when it was removed. */
  watch(
    onChange: (change: RecordId & { text: string | null; revision: number }) => void,
  ): Promise<Subscription>;
}
