/** Looks at schedules and queues, as the rules say. */
import type { Breach } from "../core/alert.js";
import {
  judgeQueue,
  judgeSchedule,
  meansQueue,
  meansSchedule,
  type ScheduleFacts,
  type Verdict,
} from "../core/alert-judge.js";
import { type AlertRule, needsRuns } from "../core/alert-rule.js";
import type { LeaseRecord } from "../core/lease.js";
import { isPausedAt } from "../core/policies.js";
import type { LeaseStore } from "../core/ports.js";
import { NO_PAST, type OpenRun } from "../core/run-digest.js";
import { firstRevisionOf, type Instant } from "../core/schedule.js";
import type { AlertBook } from "./alert-book.js";
import type { Judge } from "./alerter.js";
import type { Definition, Definitions } from "./definitions.js";
import { QueueWatch, type QueueWatchPorts } from "./queue-watch.js";
import { queueKey, RunWatch, type RunWatchPorts, scheduleKey, type Watched } from "./run-watch.js";
import { SeenRuns, type SeenRunsPorts } from "./seen-runs.js";

export interface RuleJudgePorts extends RunWatchPorts, QueueWatchPorts, SeenRunsPorts {
  leases: LeaseStore;
}

/** Schedules that are judged before others have their turn. */
const AT_ONCE = 2_000;

/** What a pass knows of runs. */
interface Known {
  watch: RunWatch;
  seen: SeenRuns;
  /** The schedules that were looked at, and the definitions there were. */
  schedules: Set<string>;
  view: number;
}

export class RuleJudge implements Judge {
  readonly #ports: RuleJudgePorts;
  readonly #definitions: Definitions;
  readonly #book: AlertBook;
  #known: Known | undefined;
  #queues: QueueWatch | undefined;
  #ruled = "";

  constructor(ports: RuleJudgePorts, definitions: Definitions, book: AlertBook) {
    this.#ports = ports;
    this.#definitions = definitions;
    this.#book = book;
  }

  reset(): void {
    this.#known = undefined;
    this.#queues = undefined;
  }

  async look(): Promise<Breach[]> {
    const { rules } = this.#book;
    const ruled = JSON.stringify(rules);
    if (ruled !== this.#ruled) {
      this.#known?.watch.rewind();
      this.#queues = undefined;
      this.#ruled = ruled;
    }
    const ofRuns = rules.filter(needsRuns);
    const watched = watchedBy(ofRuns, this.#definitions);
    if (ofRuns.length === 0) this.#known = undefined;
    else await this.#catchUp(watched);
    const found = [...(await this.#lookAtSchedules(rules)), ...(await this.#lookAtQueues(rules))];
    await this.#known?.seen.save(this.#known.watch.digest, isWatchedKey(watched));
    return found;
  }

  /** What somebody begins to look at may have a past: unless it is new, RUNS is read anew. */
  async #catchUp(watched: Watched): Promise<void> {
    const { view } = this.#definitions;
    const known = this.#known ?? (await this.#begin());
    const schedules = new Set<string>();
    let hasPast = false;
    for (const { schedule } of this.#all()) {
      if (schedule.deleted || !watched.schedule(schedule.id)) continue;
      schedules.add(schedule.id);
      hasPast ||= !known.schedules.has(schedule.id) && firstRevisionOf(schedule) <= known.view;
    }
    if (hasPast) known.watch.rewind();
    await known.watch.catchUp(watched);
    this.#known = { ...known, schedules, view };
  }

  async #begin(): Promise<Known> {
    const watch = new RunWatch(this.#ports, this.#definitions);
    const seen = new SeenRuns(this.#ports);
    await seen.load(watch.digest);
    return { watch, seen, schedules: new Set(), view: 0 };
  }

  async #lookAtSchedules(rules: readonly AlertRule[]): Promise<Breach[]> {
    const mine = rules.filter(({ on }) => on.of === "schedules");
    if (mine.length === 0) return [];
    const { clock } = this.#ports;
    const now = clock.now();
    const leases = mine.some(({ kind }) => kind === "late") ? await this.#leases() : [];
    const open = groupBy(this.#known?.watch.digest.open ?? [], ({ scheduleId }) => scheduleId);
    const found: Breach[] = [];
    let judged = 0;
    for (const definition of this.#all()) {
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
      past: this.#known?.watch.digest.pastOf(scheduleKey(schedule.id)) ?? NO_PAST,
      open,
      unfired: lease === null ? [] : unfiredOf(definition, lease, now),
      delayOf: (slot) => definition.delayOf(slot),
    };
  }

  async #lookAtQueues(rules: readonly AlertRule[]): Promise<Breach[]> {
    const mine = rules.filter(({ on }) => on.of === "queues");
    if (mine.length === 0) return [];
    const now = this.#ports.clock.now();
    this.#queues ??= new QueueWatch(this.#ports);
    const depths = await this.#queues.depths();
    const within = mine.flatMap((rule) => (rule.kind === "dead-letters" ? [rule.withinMs] : []));
    if (within.length > 0) await this.#queues.readDeaths(Math.max(...within));
    const digest = this.#known?.watch.digest;
    const open = groupBy(digest?.open ?? [], ({ queue }) => queue);
    const names = new Set([...depths.keys(), ...this.#queues.dying]);
    const found: Breach[] = [];
    for (const queue of names) {
      const facts = {
        ...{ queue, waiting: 0, oldestAgeMs: null },
        ...depths.get(queue),
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

  *#all(): Generator<Definition> {
    for (let shard = 0; shard < this.#ports.shards; shard++) yield* [...this.#definitions.of(shard)];
  }

  #leases(): Promise<(LeaseRecord | null)[]> {
    const shards = Array.from({ length: this.#ports.shards }, (_, shard) => shard);
    return Promise.all(shards.map(async (shard) => (await this.#ports.leases.read(shard))?.value ?? null));
  }
}

/** Decides once for each schedule and queue. */
function watchedBy(rules: readonly AlertRule[], definitions: Definitions): Watched {
  const once = (isSo: (name: string) => boolean) => {
    const known = new Map<string, boolean>();
    return (name: string) => {
      const is = known.get(name) ?? isSo(name);
      known.set(name, is);
      return is;
    };
  };
  return {
    schedule: once((id) => {
      const labels = definitions.find(id)?.schedule.labels;
      return rules.some((rule) => meansSchedule(rule, { id, labels }));
    }),
    queue: once((queue) => rules.some((rule) => meansQueue(rule, queue))),
  };
}

function isWatchedKey(watched: Watched): (key: string) => boolean {
  return (key) => {
    const dot = key.indexOf(".");
    const name = key.slice(dot + 1);
    return key.slice(0, dot) === "queue" ? watched.queue(name) : watched.schedule(name);
  };
}

function breachesOf(
  rule: AlertRule,
  place: Pick<Breach, "target" | "scheduleId" | "queue">,
  verdict: Verdict,
): Breach[] {
  if (verdict.kind === "fine") return [];
  const { since, text, data } = verdict;
  return [{ ...place, rule: rule.name, kind: rule.kind, heartbeat: null, since, text, data }];
}

/** Slots that are due, and that nobody has decided, or that were decided to fire and are not known to be stored. */
function unfiredOf({ schedule, times }: Definition, lease: LeaseRecord, now: Instant): Instant[] {
  const isIts = ({ scheduleId }: { scheduleId: string }) => scheduleId === schedule.id;
  const firing = lease.firing.filter(isIts).map(({ slot }) => slot);
  const backlog = lease.backlog.filter(isIts).map(({ after }) => times.next(after));
  const undecided = times.next(Math.max(lease.cursor.time, schedule.effectiveFrom));
  const slots = [...firing, ...backlog, undecided].filter((slot) => slot !== null && slot <= now);
  return (slots as Instant[]).sort((a, b) => a - b);
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
