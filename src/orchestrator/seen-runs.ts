/**
 * What rules know of runs, kept for whoever looks next: RUNS does not go back for ever, and a job that runs once a month
 * has not succeeded since longer than that.
 *
 * What changes often (that a run succeeded) is kept now and then only: what came after it is still in RUNS.
 */
import type { AlertStore, RecordId } from "../core/alert-store.js";
import type { Clock } from "../core/ports.js";
import type { OpenRun, Past, RunDigest } from "../core/run-digest.js";
import { limits } from "../protocol/limits.js";
import { decodeOpenRuns, decodePast, encodeOpenRuns, encodePast } from "../protocol/stored-alert.js";

export interface SeenRunsPorts {
  alertStore: AlertStore;
  clock: Clock;
}

/** Of runs that are not over, those that are open for longer, and at most so many of them. */
const LONG_MS = 60_000;
const MOST_OPEN = 1_000;
const OPEN = "open";
/** A success is kept when it is so much newer than the one that is. */
const SUCCESS_EVERY_MS = 300_000;
/** Records that are written in one pass. */
const MOST_WRITES = 200;

interface Saved {
  past: Past;
  revision: number;
}

export class SeenRuns {
  readonly #ports: SeenRunsPorts;
  readonly #saved = new Map<string, Saved>();
  #open = { ids: "", revision: 0 };

  constructor(ports: SeenRunsPorts) {
    this.#ports = ports;
  }

  /** Tells a digest what is kept. */
  async load(digest: RunDigest): Promise<void> {
    for (const { name, text, revision } of await this.#ports.alertStore.list("seen")) {
      if (name === OPEN) this.#loadOpen(digest, decodeOpenRuns(text), revision);
      const past = name === OPEN ? null : decodePast(text);
      if (past === null) continue;
      this.#saved.set(name, { past, revision });
      digest.takeUp(name, past);
    }
  }

  /** @param isWatched whether a key is looked at by any rule */
  async save(digest: RunDigest, isWatched: (key: string) => boolean): Promise<void> {
    await this.#saveOpen(digest);
    let writes = 0;
    for (const [key, past] of digest.pasts) {
      if (writes >= MOST_WRITES) return;
      const saved = this.#saved.get(key);
      if (!isWatched(key) || !isToSave(saved?.past, past)) continue;
      writes++;
      const revision = await this.#write({ kind: "seen", name: key }, encodePast(past), saved?.revision ?? 0);
      this.#saved.set(key, { past, revision });
    }
    for (const [key, { revision }] of this.#saved) {
      if (writes++ >= MOST_WRITES) return;
      if (isWatched(key)) continue;
      await this.#ports.alertStore.erase({ kind: "seen", name: key }, revision);
      this.#saved.delete(key);
    }
  }

  #loadOpen(digest: RunDigest, runs: readonly OpenRun[], revision: number): void {
    for (const run of runs) digest.suppose(run);
    this.#open = { ids: idsOf(runs), revision };
  }

  async #saveOpen(digest: RunDigest): Promise<void> {
    const before = this.#ports.clock.now() - LONG_MS;
    const runs: OpenRun[] = [];
    for (const run of digest.open)
      if ((run.startedAt ?? run.queuedAt ?? before) < before && runs.length < MOST_OPEN) runs.push(run);
    if (idsOf(runs) === this.#open.ids) return;
    const revision = await this.#write(
      { kind: "seen", name: OPEN },
      encodeOpenRuns(runs),
      this.#open.revision,
    );
    this.#open = { ids: idsOf(runs), revision };
  }

  /** The revision that is there now: if another has written, it is for him to know more. */
  async #write(id: RecordId, text: string, revision: number): Promise<number> {
    const outcome = await this.#ports.alertStore.write(id, text, revision);
    if (outcome.kind === "stored") return outcome.revision;
    return (await this.#ports.alertStore.get(id))?.revision ?? 0;
  }
}

const idsOf = (runs: readonly OpenRun[]): string =>
  runs.map(({ runId, state }) => `${runId} ${state}`).join("\n");

/** No rule counts more failures than `limits.alertFailures`. */
function isToSave(saved: Past | undefined, past: Past): boolean {
  if (saved === undefined) return true;
  const cut = ({ failures }: Past) => Math.min(failures, limits.alertFailures);
  const newer = (past.succeededAt ?? 0) - (saved.succeededAt ?? 0);
  return cut(past) !== cut(saved) || past.missed?.at !== saved.missed?.at || newer > SUCCESS_EVERY_MS;
}
