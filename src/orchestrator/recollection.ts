/**
 * What RUNS told long ago of runs that somebody still waits for.
 *
 * The end of a bare worker's run is told by the server under its sequence in WORK alone, and only the word that the job
 * was queued says which run that is. Who comes later, as after a takeover, reads both again: one reading for all such
 * runs of a queue.
 */
import type { Lane } from "../core/lane.js";
import type { WorkStream } from "../core/ports.js";
import type { RunsReader } from "../core/runs-reader.js";
import type { Instant } from "../core/schedule.js";
import type { Names } from "../protocol/names.js";
import { RunTeller } from "../protocol/told.js";
import type { Found } from "./run-index.js";

export interface RecollectionPorts {
  reader: RunsReader;
  names: Names;
  work: WorkStream;
}

export interface Sought {
  queue: string;
  runIds: ReadonlySet<string>;
  /** Nothing was told of them before, by the server's clock. */
  since: Instant;
}

export class Recollection {
  readonly #ports: RecollectionPorts;
  readonly #teller: RunTeller;

  constructor(ports: RecollectionPorts) {
    this.#ports = ports;
    this.#teller = new RunTeller(ports.names);
  }

  async of({ queue, runIds, since }: Sought): Promise<Found[]> {
    const { reader, names } = this.#ports;
    const { first, last } = await reader.bounds();
    const subject = queue === "" ? names.allQueued : names.queued(names.jobsOf(queue));
    const stored = await this.#read({ from: first, to: last, since, subject }, ({ told: { runId } }) =>
      runIds.has(runId ?? ""),
    );
    const gone = await this.#gone(stored);
    return [...stored, ...(await this.#fatesOf(gone, last))];
  }

  /** Of what is still in WORK, the end is yet to be told. */
  async #gone(stored: readonly Found[]): Promise<Found[]> {
    const gone: Found[] = [];
    for (const found of stored)
      if ((await this.#ports.work.at(found.told.fact.seq ?? 0)) === null) gone.push(found);
    return gone;
  }

  async #fatesOf(gone: readonly Found[], to: number): Promise<Found[]> {
    const bySubject = new Map<string, Found[]>();
    for (const found of gone) {
      const { queue = "", lane = "" } = found.told.fact;
      for (const subject of this.#ports.names.fates(queue, lane as Lane))
        bySubject.set(subject, [...(bySubject.get(subject) ?? []), found]);
    }
    const fates: Found[] = [];
    for (const [subject, queued] of bySubject) {
      const seqs = new Set(queued.map(({ told }) => told.fact.seq));
      const from = Math.min(...queued.map(({ seq }) => seq));
      fates.push(...(await this.#read({ from, to, subject }, ({ told }) => seqs.has(told.fact.seq))));
    }
    return fates;
  }

  async #read(
    range: Parameters<RunsReader["read"]>[0],
    isWanted: (found: Found) => boolean,
  ): Promise<Found[]> {
    const all: Found[] = [];
    await this.#ports.reader.read(range, (message) => {
      for (const [order, told] of this.#teller.read(message).entries()) {
        const found = { seq: message.seq, order, told };
        if (isWanted(found)) all.push(found);
      }
    });
    return all;
  }
}
