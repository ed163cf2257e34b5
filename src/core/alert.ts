/** Alerts: what a breach is, how it is kept while it is open, and how it is told. */
import type { Instant } from "./instant.js";

/** Something that is wrong, as whoever looks finds it. */
export interface Breach {
  /** The name of the rule that says so; of what is always looked at, as in `slot.missing` or `store.lost`, the kind. */
  rule: string;
  kind: string;
  /** Which of all that the rule looks at, as in `schedule.nightly`; with the rule it names the breach. */
  target: string;
  scheduleId: string | null;
  queue: string | null;
  heartbeat: string | null;
  /** When it began, where that is known. Default: when it is found. */
  since?: Instant | undefined;
  /** A sentence for people. */
  text: string;
  data: Readonly<Record<string, unknown>>;
}

/** Told once when it begins, and once when it is over. */
export type AlertState = "raised" | "over";

/** A breach that was found, until it was told that it is over. */
export interface OpenBreach extends Breach {
  since: Instant;
  state: AlertState;
  /** When it came into this state. */
  at: Instant;
  /** When it was found. */
  raisedAt: Instant;
  /** Whether those who listen were told of this state. */
  isTold: boolean;
  /** What is to be handed on to those who are called, in order. */
  unsent: readonly AlertState[];
}

/** What is told. */
export interface Alert extends Omit<Breach, "target"> {
  /** The same however often it is told. */
  id: string;
  state: AlertState;
  since: Instant;
  at: Instant;
}

export interface AlertBus {
  /** Tells those who listen at this moment; resolves when the server has it. */
  raise(alert: Alert): Promise<void>;
}

export interface AlertCourier {
  /** Resolves when it is sure to be delivered; the same alert again is delivered once. */
  send(alert: Alert): Promise<void>;
}

/** With the other state there is another id, and whenever it is found anew, though it may be as old as it was. */
export function alertOf(breach: OpenBreach, state: AlertState = breach.state): Alert {
  const { target, raisedAt, isTold: _, unsent: __, ...told } = breach;
  const id = `${told.rule}/${target}/${new Date(raisedAt).toISOString()}/${state}`;
  return { id, ...told, state, at: state === "raised" ? raisedAt : told.at };
}

/** The parts of a breach that has no schedule, queue or heartbeat. */
export const OF_NOTHING = { scheduleId: null, queue: null, heartbeat: null } as const;
