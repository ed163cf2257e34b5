/**
 * Keeps open breaches, so that each is told once when it begins and once when it is over, whoever looks.
 *
 * A breach is a record in the store, made by compare-and-swap before anybody is told of it: of two that find it only one
 * makes the record. That it was told is noted afterwards. So a crash in between tells it again, by the successor and under
 * the same id, and never not at all:
 *
 *   (nothing) ── found ──► raised, untold ── told ──► raised, told ── not found ──► over, untold ── told ──► (nothing)
 *
 * Those who are called are told by a courier, which may fail for a while: what it has not taken is noted with the breach, and
 * handed on in order, so that nobody hears the end of what he never heard of.
 */
import {
  type Alert,
  type AlertBus,
  type AlertCourier,
  type AlertState,
  alertOf,
  type Breach,
  type OpenBreach,
} from "../core/alert.js";
import type { AlertStore, RecordId } from "../core/alert-store.js";
import { messageOf } from "../core/errors.js";
import type { CasOutcome, Clock } from "../core/ports.js";
import type { OrchestratorTelemetry } from "../core/telemetry.js";
import { decodeBreach, encodeBreach } from "../protocol/stored-alert.js";
import type { Logger } from "../runtime/log.js";

export interface AlertKeeperPorts {
  alertStore: AlertStore;
  alerts: AlertBus;
  /** Absent: nobody is called. */
  courier?: AlertCourier | undefined;
  clock: Clock;
  telemetry: OrchestratorTelemetry;
  log: Logger;
}

/** More than anyone reads; what is found beyond waits until others are over. */
const MOST_OPEN = 10_000;

interface Kept {
  breach: OpenBreach;
  revision: number;
}

/** What somebody looked at, and what was found there. */
export interface Look {
  /** As it was when the look began: what was seen in a term that is over is for somebody else to see. */
  term: number;
  found: readonly Breach[];
  /** Whether an open breach is among what was looked at: if it was not found, it is over. */
  covers(breach: OpenBreach): boolean;
  /** Of those: whether to tell that it is over, or only to forget it. Default: to tell. */
  isOver?(breach: OpenBreach): boolean;
}

export class AlertKeeper {
  readonly #ports: AlertKeeperPorts;
  readonly #termOf: () => number | null;
  readonly #kept = new Map<string, Kept>();
  #term: number | null = null;
  #loading: Promise<void> = Promise.resolve();
  #turn: Promise<unknown> = Promise.resolve();

  /** @param termOf the term in which it is for us to look; null: it is for somebody else */
  constructor(ports: AlertKeeperPorts, termOf: () => number | null) {
    this.#ports = ports;
    this.#termOf = termOf;
  }

  /** The term in which it is for us to look, when everything that is open is known; null: it is not for us. */
  async ready(): Promise<number | null> {
    const term = this.#termOf();
    if (term === null) this.release();
    else if (term !== this.#term) {
      this.#term = term;
      this.#loading = this.#load();
    }
    try {
      await this.#loading;
    } catch (error) {
      this.#term = null;
      this.#loading = Promise.resolve();
      throw error;
    }
    return this.#term;
  }

  /** Somebody else looks from now on. */
  release(): void {
    if (this.#term !== null) this.#ports.telemetry.alertsOpen(null);
    this.#term = null;
    this.#kept.clear();
  }

  get open(): OpenBreach[] {
    return [...this.#kept.values()].map(({ breach }) => breach);
  }

  /** One after the other. @returns what was not open before */
  settle(look: Look): Promise<Breach[]> {
    const settled = this.#turn.then(() => this.#settle(look));
    this.#turn = settled.catch(() => {});
    return settled;
  }

  async #settle({ term, found, covers, isOver = () => true }: Look): Promise<Breach[]> {
    const isOurs = () => this.#term === term && this.#termOf() === term;
    for (const kept of [...this.#kept.values()])
      if (isOurs() && kept.breach.state === "raised" && !isDone(kept.breach)) await this.#tell(kept);
    const names = new Set(found.map(nameOf));
    const begun: Breach[] = [];
    for (const breach of found) if (isOurs() && (await this.#raise(breach))) begun.push(breach);
    for (const { breach } of [...this.#kept.values()]) {
      if (!covers(breach) || (names.has(nameOf(breach)) && breach.state === "raised")) continue;
      if (isOurs()) await this.#close(breach, breach.state === "over" || isOver(breach));
    }
    if (isOurs()) this.#ports.telemetry.alertsOpen(this.#counts());
    return begun;
  }

  async #load(): Promise<void> {
    this.#kept.clear();
    for (const record of await this.#ports.alertStore.list("state")) {
      const breach = decodeBreach(record.text);
      if (breach !== null) this.#kept.set(record.name, { breach, revision: record.revision });
    }
  }

  /** Whether it is new. */
  async #raise(breach: Breach): Promise<boolean> {
    const name = nameOf(breach);
    // One that is just being closed is raised when that is done.
    if (this.#kept.has(name) || this.#kept.size >= MOST_OPEN) return false;
    const at = this.#ports.clock.now();
    const open: OpenBreach = {
      ...breach,
      since: breach.since ?? at,
      state: "raised",
      at,
      raisedAt: at,
      isTold: false,
      unsent: ["raised"],
    };
    const kept = await this.#write(open, 0);
    if (kept === null) return false;
    await this.#tell(kept);
    return true;
  }

  async #close(breach: OpenBreach, isToBeTold: boolean): Promise<void> {
    if (isToBeTold && breach.state === "raised")
      await this.#write(
        {
          ...breach,
          ...{ state: "over", at: this.#ports.clock.now() },
          ...{ isTold: false, unsent: [...breach.unsent, "over"] },
        },
        this.#kept.get(nameOf(breach))?.revision ?? 0,
      );
    const kept = this.#kept.get(nameOf(breach));
    if (kept === undefined) return;
    // Nor is what nobody was called for forgotten.
    if (!isToBeTold && !isDone(kept.breach)) return;
    // What another has written meanwhile is looked at in the next pass.
    if (isToBeTold && kept.breach.state !== "over") return;
    const revision = isToBeTold ? await this.#tell(kept) : kept.revision;
    // What could not be handed on is in the next pass.
    if (revision === null) return;
    const outcome = await this.#ports.alertStore.erase(idOf(breach), revision);
    await this.#after(outcome, breach, null);
  }

  /** Null: somebody else has written it, or it is not known. */
  async #write(breach: OpenBreach, revision: number): Promise<Kept | null> {
    const outcome = await this.#ports.alertStore.write(idOf(breach), encodeBreach(breach), revision);
    return this.#after(outcome, breach, breach);
  }

  async #after(outcome: CasOutcome, found: Breach, now: OpenBreach | null): Promise<Kept | null> {
    const name = nameOf(found);
    if (outcome.kind === "stored") {
      const kept = now === null ? null : { breach: now, revision: outcome.revision };
      if (kept === null) this.#kept.delete(name);
      else this.#kept.set(name, kept);
      return kept;
    }
    const record = await this.#ports.alertStore.get({ kind: "state", name });
    const breach = record === null ? null : decodeBreach(record.text);
    if (record === null || breach === null) this.#kept.delete(name);
    else this.#kept.set(name, { breach, revision: record.revision });
    return null;
  }

  /** Tells whoever was not told, and notes it. The revision when all are; null: some are to be told later. */
  async #tell({ breach, revision }: Kept): Promise<number | null> {
    if (!breach.isTold) await this.#publish(alertOf(breach));
    const unsent = await this.#send(breach);
    const isNews = !breach.isTold || unsent.length < breach.unsent.length;
    const noted = isNews
      ? await this.#write({ ...breach, isTold: true, unsent }, revision)
      : { breach, revision };
    return unsent.length === 0 ? (noted?.revision ?? null) : null;
  }

  async #publish(alert: Alert): Promise<void> {
    const { alerts, log } = this.#ports;
    await alerts.raise(alert);
    const { rule, state, text, scheduleId, queue, heartbeat, data } = alert;
    const told = {
      ...{ alert: rule, state },
      ...(scheduleId !== null && { scheduleId }),
      ...(queue !== null && { queue }),
      ...(heartbeat !== null && { heartbeat }),
      ...data,
    };
    if (state === "raised") log.error(told, text);
    else log.info(told, `over: ${text}`);
  }

  /** What could not be handed on: those who listen are not told again because somebody else could not be called. */
  async #send(breach: OpenBreach): Promise<readonly AlertState[]> {
    const { courier, log } = this.#ports;
    for (const [index, state] of breach.unsent.entries()) {
      try {
        await courier?.send(alertOf(breach, state));
      } catch (error) {
        const about = { alert: breach.rule, state, error: messageOf(error) };
        log.warn(about, "an alert was not sent: tried again");
        return breach.unsent.slice(index);
      }
    }
    return [];
  }

  #counts(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { breach } of this.#kept.values()) counts.set(breach.kind, (counts.get(breach.kind) ?? 0) + 1);
    return counts;
  }
}

const isDone = ({ isTold, unsent }: OpenBreach): boolean => isTold && unsent.length === 0;
const nameOf = ({ rule, target }: Pick<Breach, "rule" | "target">): string => `${rule}.${target}`;
const idOf = (breach: Breach): RecordId => ({ kind: "state", name: nameOf(breach) });
