/** Looks at schedules and queues, as the rules say. A rule that needs what cannot be read is left for the next pass. */
import type { Breach, OpenBreach } from "../core/alert.js";
import {
  judgeQueue,
  judgeSchedule,
  meansQueue,
  meansSchedule,
  type ScheduleFacts,
  type Verdict,
} from "../core/alert-judge.js";
import { type AlertRule, needsRuns } from "../core/alert-rule.js";
import { messageOf } from "../core/errors.js";
import type { LeaseRecord } from "../core/lease.js";
import type { OpenRun } from "../core/open-runs.js";
import { isPausedAt } from "../core/policies.js";
import type { LeaseStore } from "../core/ports.js";
import { NO_PAST } from "../core/run-digest.js";
import type { Instant } from "../core/schedule.js";
import type { Logger } from "../runtime/log.js";
import type { AlertBook } from "./alert-book.js";
import type { Judge, Sight } from "./alerter.js";
import type { Definition, Definitions } from "./definitions.js";
import { leaseRecords } from "./lease-records.js";
import { QueueWatch, type QueueWatchPorts } from "./queue-watch.js";
import { RuleRuns, type RuleRunsPorts } from "./rule-runs.js";
import { queueKey, scheduleKey } from "./run-watch.js";
import { unfiredOf } from "./unfired.js";

export interface RuleJudgePorts extends RuleRunsPorts, QueueWatchPorts {
  leases: LeaseStore;
  log: Logger;
}

/** Schedules that are judged before others have their turn. */
const AT_ONCE = 2_000;

export class RuleJudge implements Judge {
  readonly #ports: RuleJudgePorts;
  readonly #definitions: Definitions;
  readonly #book: AlertBook;
  readonly #runs: RuleRuns;
  #queues: QueueWatch;
  #ruled = "";

  constructor(ports: RuleJudgePorts, definitions: Definitions, book: AlertBook) {
    this.#ports = ports;
    this.#definitions = definitions;
    this.#book = book;
    this.#runs = new RuleRuns(ports, definitions);
    this.#queues = new QueueWatch(ports);
  }

  reset(): void {
    this.#runs.reset();
    this.#queues = new QueueWatch(this.#ports);
  }

  async look(): Promise<Sight> {
    const { rules } = this.#book;
    this.#noteRules(rules);
    const { unseen, leases } = await this.#read(rules);
    const seen = rules.filter(({ name }) => !unseen.has(name));
    const found = [...(await this.#lookAtSchedules(seen, leases)), ...this.#lookAtQueues(seen)];
    await this.#save(rules.filter(needsRuns));
    return { found, covers: ({ rule }: OpenBreach) => !rule.includes(".") && !unseen.has(rule) };
  }

  #noteRules(rules: readonly AlertRule[]): void {
    if (!rules.some(needsRuns)) this.#runs.reset();
    const ruled = JSON.stringify(rules);
    if (ruled === this.#ruled) return;
    this.#runs.rewind();
    this.#queues.rewind();
    this.#ruled = ruled;
  }

  /**
   * What rules ask for, and the names of those that have no answer. Leases come before RUNS: a slot that is fired in between
   * is seen twice then, and else not at all.
   */
  async #read(rules: readonly AlertRule[]) {
    const unseen = new Set<string>();
    const read = async <T>(isFor: IsSo, ask: (asking: AlertRule[]) => Promise<T>, isLost: IsSo = isFor) => {
      const asking = rules.filter(isFor);
      if (asking.length === 0) return undefined;
      try {
        return await ask(asking);
      } catch (error) {
        const lost = asking.filter(isLost).map(({ name }) => name);
        for (const name of lost) unseen.add(name);
        const about = { alerts: lost, error: messageOf(error) };
        this.#ports.log.warn(about, "alert rules were not looked at: tried again");
        return undefined;
      }
    };
    const leases = await read(
      ({ kind }) => kind === "late",
      () => leaseRecords(this.#ports.leases, this.#ports.shards),
    );
    await read(needsRuns, (asking) => this.#runs.catchUp(asking));
    await read(
      ({ on }) => on.of === "queues",
      () => this.#queues.depths(),
      // For the others it is enough to know which queues there are.
      ({ kind }) =>
        kind === "queue-deep" || (kind !== "dead-letters" && this.#queues.lastDepths === undefined),
    );
    await read(
      ({ kind }) => kind === "dead-letters",
      (asking) => this.#queues.readDeaths(longestOf(asking)),
    );
    return { unseen, leases: leases ?? [] };
  }

  async #lookAtSchedules(
    rules: readonly AlertRule[],
    leases: readonly (LeaseRecord | null)[],
  ): Promise<Breach[]> {
    const mine = rules.filter(({ on }) => on.of === "schedules");
    if (mine.length === 0) return [];
    const { clock } = this.#ports;
    const now = clock.now();
    const open = groupBy(this.#runs.digest?.open ?? [], ({ scheduleId }) => scheduleId);
    const found: Breach[] = [];
    let judged = 0;
    for (const definition of this.#definitions.all()) {
      const { id, labels, deleted, shard } = definition.schedule;
      const meant = deleted ? [] : mine.filter((rule) => meansSchedule(rule, { id, labels }));
      if (meant.length === 0) continue;
      if (++judged % AT_ONCE === 0) await new Promise<void>((resolve) => clock.after(0, resolve));
      const facts = this.#factsOf(definition, open.get(id) ?? [], leases[shard] ?? null, now);
      for (const rule of meant) {
        const place = { target: scheduleKey(id), scheduleId: id, queue: null };
        found.push(...breachesOf(rule, place, judgeSchedule(rule, facts, now)));
      }
    }
    return found;
  }

  #factsOf(
    definition: Definition,
    open: readonly OpenRun[],
    lease: LeaseRecord | null,
    now: Instant,
  ): ScheduleFacts {
    const { schedule } = definition;
    return {
      id: schedule.id,
      isPaused: isPausedAt(schedule, now) && schedule.pausedBy !== "failures",
      effectiveFrom: schedule.effectiveFrom,
      past: this.#runs.digest?.pastOf(scheduleKey(schedule.id)) ?? NO_PAST,
      open,
      unfired: lease === null ? [] : unfiredOf(definition, lease, now),
      delayOf: (slot) => definition.delayOf(slot),
    };
  }

  #lookAtQueues(rules: readonly AlertRule[]): Breach[] {
    const mine = rules.filter(({ on }) => on.of === "queues");
    if (mine.length === 0) return [];
    const now = this.#ports.clock.now();
    const { digest } = this.#runs;
    const depths = this.#queues.lastDepths;
    const open = groupBy(digest?.open ?? [], ({ queue }) => queue);
    const found: Breach[] = [];
    for (const queue of new Set([...(depths?.keys() ?? []), ...this.#queues.dying])) {
      const facts = {
        ...{ queue, waiting: 0, oldestAgeMs: null },
        ...depths?.get(queue),
        past: digest?.pastOf(queueKey(queue)) ?? NO_PAST,
        open: open.get(queue) ?? [],
        deaths: this.#queues.deathsOf(queue),
      };
      const place = { target: queueKey(queue), scheduleId: null, queue };
      for (const rule of mine)
        if (meansQueue(rule, queue)) found.push(...breachesOf(rule, place, judgeQueue(rule, facts, now)));
    }
    return found;
  }

  /** What was found is told, whether it can be kept or not. */
  async #save(rules: readonly AlertRule[]): Promise<void> {
    try {
      await this.#runs.save(rules);
    } catch (error) {
      this.#ports.log.warn(
        { error: messageOf(error) },
        "what alert rules saw of runs was not kept: tried again",
      );
    }
  }
}

type IsSo = (rule: AlertRule) => boolean;

const longestOf = (rules: readonly AlertRule[]): number =>
  Math.max(...rules.map((rule) => (rule.kind === "dead-letters" ? rule.withinMs : 0)));

function breachesOf(
  rule: AlertRule,
  place: Pick<Breach, "target" | "scheduleId" | "queue">,
  verdict: Verdict,
): Breach[] {
  if (verdict.kind === "fine") return [];
  const { since, text, data } = verdict;
  return [{ ...place, rule: rule.name, kind: rule.kind, heartbeat: null, since, text, data }];
}

function groupBy<T>(items: Iterable<T>, keyOf: (item: T) => string | null): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    if (key === null) continue;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
