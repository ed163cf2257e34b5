/**
 * What rules know of runs, kept for whoever looks next: RUNS does not go back for ever, and a job that runs once a month
 * has not succeeded since longer than that.
 *
 * What changes often (that a run succeeded) is kept now and then only: what came after it is still in RUNS.
 */
import type { AlertRecord, AlertStore, RecordId } from "../core/alert-store.js";
import { type OpenRun, ownerOf } from "../core/open-runs.js";
import type { Clock } from "../core/ports.js";
import type { Past, RunDigest } from "../core/run-digest.js";
import { Turns } from "../core/turns.js";
import { limits } from "../protocol/limits.js";
import { decodeOpenRuns, decodePast, encodeOpenRuns, encodePast } from "../protocol/stored-alert.js";

export interface SeenRunsPorts {
  alertStore: AlertStore;
  clock: Clock;
}

/** Of runs that are not over, those that are open for longer, and at most so many of them, of each owner the oldest. */
const LONG_MS = 60_000;
const MOST_OPEN = 1_000;
const OPEN = "open";
/** A success is kept when it is so much newer than the one that is. */
const SUCCESS_EVERY_MS = 300_000;
/** Records that are written in one pass. */
const MOST_WRITES = 200;

interface Saved {
  /** Undefined: what is there cannot be read. */
  past: Past | undefined;
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
      if (name === OPEN) {
        for (const run of decodeOpenRuns(text)) digest.suppose(run);
        this.#open = openIn({ text, revision });
        continue;
      }
      const saved = savedIn({ text, revision });
      this.#saved.set(name, saved);
      if (saved.past !== undefined) digest.takeUp(name, saved.past);
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
      this.#note(key, await this.#write(idOf(key), encodePast(past), saved?.revision ?? 0));
    }
    for (const [key, { revision }] of [...this.#saved]) {
      if (isWatched(key)) continue;
      if (writes++ >= MOST_WRITES) return;
      const outcome = await this.#ports.alertStore.erase(idOf(key), revision);
      this.#note(key, outcome.kind === "stored" ? null : await this.#ports.alertStore.get(idOf(key)));
    }
  }

  #note(key: string, record: Written | null): void {
    if (record === null) this.#saved.delete(key);
    else this.#saved.set(key, savedIn(record));
  }

  async #saveOpen(digest: RunDigest): Promise<void> {
    const before = this.#ports.clock.now() - LONG_MS;
    const long = [...digest.open].filter((run) => (run.startedAt ?? run.queuedAt ?? before) < before);
    const runs = new Turns().take(long, ownerOf, MOST_OPEN);
    if (idsOf(runs) === this.#open.ids) return;
    this.#open = openIn(await this.#write(idOf(OPEN), encodeOpenRuns(runs), this.#open.revision));
  }

  /** What is there now. A write that has no answer may not have come, and another may have been there before. */
  async #write(id: RecordId, text: string, revision: number): Promise<Written | null> {
    const outcome = await this.#ports.alertStore.write(id, text, revision);
    if (outcome.kind === "stored") return { text, revision: outcome.revision };
    return this.#ports.alertStore.get(id);
  }
}

const idOf = (name: string): RecordId => ({ kind: "seen", name });

type Written = Pick<AlertRecord, "text" | "revision">;

const savedIn = ({ text, revision }: Written): Saved => ({ past: decodePast(text) ?? undefined, revision });

const openIn = (record: Written | null) => ({
  ids: record === null ? "" : idsOf(decodeOpenRuns(record.text)),
  revision: record?.revision ?? 0,
});

const idsOf = (runs: readonly OpenRun[]): string =>
  runs.map(({ runId, state }) => `${runId} ${state}`).join("\n");

/** No rule counts more failures than `limits.alertFailures`. */
function isToSave(saved: Past | undefined, past: Past): boolean {
  if (saved === undefined) return true;
  const cut = ({ failures }: Past) => Math.min(failures, limits.alertFailures);
  const newer = (past.succeededAt ?? 0) - (saved.succeededAt ?? 0);
  return cut(past) !== cut(saved) || past.missed?.at !== saved.missed?.at || newer > SUCCESS_EVERY_MS;
}
