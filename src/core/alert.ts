/** Alerts, for whoever listens. */
import type { Instant } from "./instant.js";

export interface Alert {
  /** What is wrong, as in `slot.missing` or `store.lost`; part of a subject. */
  rule: string;
  /** Told once when it begins, and once when it is over. */
  state: "raised" | "over";
  /** What it concerns; null: the whole namespace. */
  scheduleId: string | null;
  at: Instant;
  /** A sentence for people. */
  text: string;
  data: Readonly<Record<string, unknown>>;
}

export interface AlertBus {
  /** Tells those who listen at this moment. */
  raise(alert: Alert): void;
}
