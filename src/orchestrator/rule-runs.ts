/** What the rules that look at runs know of them: read anew where there is more to look at than before, and kept. */
import { meansQueue, meansSchedule } from "../core/alert-judge.js";
import type { AlertRule } from "../core/alert-rule.js";
import type { RunDigest } from "../core/run-digest.js";
import { firstRevisionOf } from "../core/schedule.js";
import type { Definitions } from "./definitions.js";
import { RunWatch, type RunWatchPorts, type Watched } from "./run-watch.js";
import { SeenRuns, type SeenRunsPorts } from "./seen-runs.js";

export interface RuleRunsPorts extends RunWatchPorts, SeenRunsPorts {}

interface Known {
  watch: RunWatch;
  seen: SeenRuns;
  /** The schedules that were looked at, and the definitions there were. */
  schedules: Set<string>;
  view: number;
}

export class RuleRuns {
  readonly #ports: RuleRunsPorts;
  readonly #definitions: Definitions;
  #known: Known | undefined;

  constructor(ports: RuleRunsPorts, definitions: Definitions) {
    this.#ports = ports;
    this.#definitions = definitions;
  }

  /** Nothing is known until the next time. */
  reset(): void {
    this.#known = undefined;
  }

  /** The rules are others than before. */
  rewind(): void {
    this.#known?.watch.rewind();
  }

  get digest(): RunDigest | undefined {
    return this.#known?.watch.digest;
  }

  /** What somebody begins to look at may have a past: unless it is new, RUNS is read anew. */
  async catchUp(rules: readonly AlertRule[]): Promise<void> {
    const watched = watchedBy(rules, this.#definitions);
    const { view } = this.#definitions;
    const known = this.#known ?? (await this.#begin());
    const schedules = new Set<string>();
    let hasPast = false;
    for (const { schedule } of this.#definitions.all()) {
      if (schedule.deleted || !watched.schedule(schedule.id)) continue;
      schedules.add(schedule.id);
      hasPast ||= !known.schedules.has(schedule.id) && firstRevisionOf(schedule) <= known.view;
    }
    if (hasPast) known.watch.rewind();
    await known.watch.catchUp(watched);
    this.#known = { ...known, schedules, view };
  }

  /** Keeps it for whoever looks next; what no rule looks at any more is not kept. */
  async save(rules: readonly AlertRule[]): Promise<void> {
    if (this.#known === undefined) return;
    const { watch, seen } = this.#known;
    await seen.save(watch.digest, isWatchedKey(watchedBy(rules, this.#definitions), this.#definitions));
  }

  async #begin(): Promise<Known> {
    const watch = new RunWatch(this.#ports, this.#definitions);
    const seen = new SeenRuns(this.#ports);
    await seen.load(watch.digest);
    return { watch, seen, schedules: new Set(), view: 0 };
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

/** What became of a schedule that is no more is of no interest, also where a rule looks at all schedules. */
function isWatchedKey(watched: Watched, definitions: Definitions): (key: string) => boolean {
  const isThere = (id: string) => definitions.find(id)?.schedule.deleted === false;
  return (key) => {
    const dot = key.indexOf(".");
    const name = key.slice(dot + 1);
    return key.slice(0, dot) === "queue" ? watched.queue(name) : isThere(name) && watched.schedule(name);
  };
}
