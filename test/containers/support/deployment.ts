/**
 * The product at work on a cluster: orchestrators in containers, a worker in this process, schedules that are due
 * every second, and the independent check over all that the worker received.
 */
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { connect as connectNats, type NatsConnection } from "@nats-io/transport-node";
import { pino } from "pino";
import type { Schedules } from "../../../src/client/schedules.js";
import { connect, type Punctual } from "../../../src/connect.js";
import { type ErrorCode, PunctualError } from "../../../src/core/errors.js";
import { Audit, type Verdict } from "../../../src/demo/audit.js";
import { namesOf } from "../../../src/protocol/names.js";
import type { Cluster } from "./cluster.js";
import type { ContainerControl } from "./control.js";
import { productImage } from "./images.js";
import { until } from "./until.js";

const ORCHESTRATORS = ["o1", "o2", "o3"];
const REPLICAS = 3;
/** So many that each orchestrator is as good as sure to hold some. */
const SHARDS = 32;
const SCHEDULES = 30;
const QUEUE = "default";
/** Well above the ack wait: a job whose acknowledgement was lost comes again only then. */
const PATIENCE_MS = 75_000;

const TRANSIENT = new Set<ErrorCode>(["unavailable", "timeout"]);

export const names = namesOf("punctual");

export type Findings = Pick<Verdict, "missed" | "doubled" | "examples">;

interface Members {
  cluster: Cluster;
  orchestrators: readonly ContainerControl[];
  punctual: Punctual;
  /** What the worker's side has logged. */
  log: readonly string[];
  nats: NatsConnection;
  jsm: JetStreamManager;
}

export class Deployment {
  readonly #members: Members;
  readonly #audit = new Audit();
  readonly #scheduleIds: string[] = [];

  private constructor(members: Members) {
    this.#members = members;
  }

  /** Resolves when all orchestrators hold shards, and the worker and the first schedules are there. */
  static async on(cluster: Cluster): Promise<Deployment> {
    const image = await productImage();
    const log: string[] = [];
    // All at once, so that they make the namespace together.
    const [punctual, nats, ...orchestrators] = await Promise.all([
      connect({
        servers: cluster.hostUrls,
        replicas: REPLICAS,
        shards: SHARDS,
        log: pino({ level: "debug", base: null }, { write: (line) => log.push(line) }),
      }),
      connectNats({ servers: cluster.hostUrls, maxReconnectAttempts: -1 }),
      ...ORCHESTRATORS.map((name) => startOrchestrator(cluster, image, name)),
    ]);
    const jsm = await jetstreamManager(nats);
    const deployment = new Deployment({ cluster, orchestrators, punctual, log, nats, jsm });
    await deployment.#work();
    await deployment.spread().catch((error) => deployment.explain(error));
    await deployment.put(SCHEDULES);
    return deployment;
  }

  /** Puts new schedules, due every second: half of them at the full second, half spread over it. */
  async put(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const id = `every-${this.#scheduleIds.length}`;
      const phase = i % 2 === 0 ? 0 : Math.floor((i * 1_000) / count);
      this.#scheduleIds.push(id);
      await this.#answered((schedules) => schedules.put(id, { every: 1_000, phase, overlap: "allow" }));
      this.#audit.add({ id, everyMs: 1_000, phaseMs: phase, from: Date.now() });
    }
  }

  /** The orchestrator that holds the most shards. */
  async busiest(): Promise<ContainerControl> {
    const held = await this.#held();
    return [...held].sort(([, a], [, b]) => b - a)[0]![0];
  }

  /** Resolves when every shard is held, and each orchestrator holds some. */
  async spread(): Promise<void> {
    await until("shards with every orchestrator", PATIENCE_MS, async () => {
      const held = await this.#held();
      return held.size === ORCHESTRATORS.length && total(held) === SHARDS ? true : undefined;
    });
  }

  /** Resolves when the others hold all shards. */
  async takenOverFrom(orchestrator: ContainerControl): Promise<void> {
    await until(`takeover from ${orchestrator.name}`, PATIENCE_MS, async () => {
      const held = await this.#held();
      return !held.has(orchestrator) && total(held) === SHARDS ? true : undefined;
    });
  }

  /** Waits for all that was due, and judges everything since the start. */
  async verdict(now = Date.now()): Promise<Findings> {
    await until("late slot that came", PATIENCE_MS, () =>
      this.#audit.missing(now).length === 0 ? true : undefined,
    ).catch(() => {}); // the verdict says which are missing
    const { missed, doubled, examples } = this.#audit.verdict(now);
    return { missed, doubled, examples };
  }

  /** Pauses all schedules, waits until nothing can be delivered again, and judges everything. */
  async lastVerdict(): Promise<Findings & { deadLetters: number }> {
    const { jsm } = this.#members;
    const end = Date.now();
    await this.verdict(end);
    for (const id of this.#scheduleIds) await this.#answered((schedules) => schedules.pause(id));
    await until("queue without jobs", PATIENCE_MS, async () => {
      const queue = await jsm.consumers.info(names.work, names.consumer(QUEUE));
      return queue.num_pending + queue.num_ack_pending === 0 ? true : undefined;
    });
    const { state } = await jsm.streams.info(names.dead);
    return { ...(await this.verdict(end)), deadLetters: state.messages };
  }

  /** Writes into a folder what everyone has printed and how the servers see their streams; throws with its name. */
  async explain(error: unknown): Promise<never> {
    throw new Error(`what everyone has printed is in ${await this.saveLogs()}`, { cause: error });
  }

  async saveLogs(): Promise<string> {
    const { cluster, orchestrators, log } = this.#members;
    const folder = await mkdtemp(join(tmpdir(), "punctual-logs-"));
    const save = (name: string, text: string) => writeFile(join(folder, name), text);
    await save("worker.log", log.join(""));
    for (const container of [...orchestrators, ...cluster.nodes])
      await save(`${container.name}.log`, await container.logs());
    for (const { name, monitorUrl } of cluster.nodes) {
      const page = `${monitorUrl}/jsz?accounts=true&streams=true&consumers=true&config=true`;
      await save(`${name}.json`, await fetch(page).then((answer) => answer.text(), String));
    }
    return folder;
  }

  /** Closes the connections from here; the containers are the cluster's to remove. */
  async close(): Promise<void> {
    await this.#members.punctual.close();
    await this.#members.nats.close();
  }

  /** Asks again while there is nobody to answer, as there may not be just after a fault. */
  async #answered(request: (schedules: Schedules) => Promise<unknown>): Promise<void> {
    await until("answer to a request", PATIENCE_MS, () =>
      request(this.#members.punctual.client.schedules).then(
        () => true,
        (error) => {
          if (error instanceof PunctualError && TRANSIENT.has(error.code)) return undefined;
          throw error;
        },
      ),
    );
  }

  async #work(): Promise<void> {
    await this.#members.punctual.work(QUEUE, { concurrency: 50 }, ({ scheduleId, fireTime, attempt }) => {
      if (scheduleId === null || fireTime === null) return;
      this.#audit.receive({ scheduleId, fireTime: fireTime.getTime(), startedAt: Date.now(), attempt });
    });
  }

  /** Shards by orchestrator. A member's host is its container. */
  async #held(): Promise<Map<ContainerControl, number>> {
    const { punctual, orchestrators } = this.#members;
    const members = await punctual.members();
    const held = new Map<ContainerControl, number>();
    for (const holder of (await this.#holders()).values()) {
      const host = members.find(({ id }) => id === holder)?.host;
      const container = orchestrators.find(({ id }) => host !== undefined && id.startsWith(host));
      if (container !== undefined) held.set(container, (held.get(container) ?? 0) + 1);
    }
    return held;
  }

  /** Holders by shard, by a new look at the records: a watch that is kept open may be behind. */
  async #holders(): Promise<Map<number, string | null>> {
    const holders = new Map<number, string | null>();
    const watch = await this.#members.punctual.watchShards(({ shard, holder }) => holders.set(shard, holder));
    await until("record of every shard", PATIENCE_MS, () => (holders.size === SHARDS ? true : undefined));
    await watch.stop();
    return holders;
  }
}

function startOrchestrator(cluster: Cluster, image: string, name: string): Promise<ContainerControl> {
  const env = {
    PUNCTUAL_SERVER: cluster.networkUrls.join(","),
    PUNCTUAL_REPLICAS: String(REPLICAS),
    PUNCTUAL_LOG: "debug",
  };
  return cluster.run({ image, name, command: ["orchestrator", "--shards", String(SHARDS)], env });
}

function total(held: ReadonlyMap<ContainerControl, number>): number {
  return [...held.values()].reduce((sum, count) => sum + count, 0);
}
