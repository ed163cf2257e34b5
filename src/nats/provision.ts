/**
 * Making the resources of a namespace, or finding them as they must be.
 *
 * Idempotent: several orchestrators may start at once. Old servers ignore what they do not know without a word,
 * and a stream of that name may be somebody else's, so the configuration is read back and compared.
 */
import {
  AckPolicy,
  DeliverPolicy,
  DiscardPolicy,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from "@nats-io/jetstream";
import { type KV, Kvm, type KvOptions } from "@nats-io/kv";
import { type NatsConnection, nanos } from "@nats-io/transport-node";
import { PunctualError } from "../core/errors.js";
import { lanes } from "../core/lane.js";
import { limits } from "../protocol/limits.js";
import type { Names } from "../protocol/names.js";
import { show } from "../protocol/parse.js";
import { consumerNames } from "./consumer-names.js";
import { isMissing, setUpFailure } from "./refusal.js";

export interface ProvisionOptions {
  /** Copies of every stream; 1, 3 or 5. Used when they are made. */
  replicas: number;
  /** If not, what is missing is refused. */
  create: boolean;
}

export interface Buckets {
  schedules: KV;
  leases: KV;
  backfills: KV;
  queues: KV;
  claims: KV;
  alerts: KV;
  chains: KV;
  members: KV;
}

type Wanted = Partial<StreamConfig> & { name: string; subjects: string[] };

export function streamsOf(names: Names, replicas: number): Wanted[] {
  const common = { storage: StorageType.File, num_replicas: replicas };
  const window = nanos(limits.dedupWindowMs);
  return [
    {
      ...common,
      name: names.runs,
      subjects: [
        ...[names.allRunEvents, names.allQueued, names.allSlots, names.allFired, names.allEnds],
        ...names.advisories,
      ],
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.Old,
      max_age: nanos(limits.runsMaxAgeMs),
      max_bytes: limits.runsMaxBytes,
      duplicate_window: window,
    },
    {
      ...common,
      name: names.work,
      subjects: [...lanes.map((lane) => names.laneSubjects(lane)), names.gateSubjects],
      retention: RetentionPolicy.Workqueue,
      discard: DiscardPolicy.New,
      max_msgs_per_subject: 1,
      discard_new_per_subject: true,
      duplicate_window: window,
      republish: { src: names.toldByServer.from, dest: names.toldByServer.as, headers_only: true },
    },
    {
      ...common,
      name: names.intake,
      subjects: [names.enqueueSubjects],
      retention: RetentionPolicy.Workqueue,
      discard: DiscardPolicy.New,
      duplicate_window: window,
    },
    {
      ...common,
      name: names.timers,
      subjects: [names.allTimers],
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.New,
      duplicate_window: window,
    },
    {
      ...common,
      name: names.dead,
      subjects: [names.deadSubjects],
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.Old,
      max_age: nanos(limits.deadMaxAgeMs),
      max_bytes: limits.deadMaxBytes,
      duplicate_window: window,
    },
    {
      ...common,
      name: names.heartbeats,
      subjects: [names.heartbeatSubjects],
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.Old,
      max_msgs: limits.beats,
      max_msgs_per_subject: 1,
      duplicate_window: window,
    },
  ];
}

export async function provision(
  connection: NatsConnection,
  jsm: JetStreamManager,
  names: Names,
  options: ProvisionOptions,
): Promise<Buckets> {
  if (!options.create) await refuseMissing(jsm, names);
  for (const wanted of streamsOf(names, options.replicas)) await ensureStream(jsm, wanted);
  await ensureConsumers(connection, jsm, names.intake, [
    { name: names.intakeConsumer, filter: names.enqueueSubjects },
  ]);
  await ensureConsumers(connection, jsm, names.runs, [
    { name: names.deadLetterConsumer, filter: names.maxDeliveries },
    { name: names.failureConsumer, filter: names.failures },
  ]);
  const common = { replicas: options.replicas, storage: StorageType.File };
  const kvm = new Kvm(connection);
  return {
    schedules: await ensureBucket(kvm, jsm, names.schedules, { ...common, history: limits.scheduleHistory }),
    leases: await ensureBucket(kvm, jsm, names.leases, { ...common, history: 1, allow_direct: false }),
    backfills: await ensureBucket(kvm, jsm, names.backfills, {
      ...common,
      history: 1,
      ttl: limits.backfillTtlMs,
    }),
    queues: await ensureBucket(kvm, jsm, names.queues, { ...common, history: limits.queueHistory }),
    claims: await ensureBucket(kvm, jsm, names.claims, { ...common, history: 1, ttl: limits.uniqueForMs }),
    alerts: await ensureBucket(kvm, jsm, names.alerts, { ...common, history: 1 }),
    chains: await ensureBucket(kvm, jsm, names.chains, { ...common, history: 1 }),
    members: await ensureBucket(kvm, jsm, names.members, { ...common, history: 1, ttl: limits.memberTtlMs }),
  };
}

/** The buckets are made last: when the last of them is there, all is. */
async function refuseMissing(jsm: JetStreamManager, names: Names): Promise<void> {
  try {
    if ((await findStream(jsm, names.members.stream)) !== null) return;
  } catch (error) {
    throw setUpFailure(`namespace ${names.namespace}`, error);
  }
  throw new PunctualError(
    "unavailable",
    `namespace ${names.namespace} does not exist on this server; start an orchestrator: punctual orchestrator`,
  );
}

async function ensureStream(jsm: JetStreamManager, wanted: Wanted): Promise<void> {
  try {
    const made = (await findStream(jsm, wanted.name)) ?? (await addStream(jsm, wanted));
    compare(wanted.name, wanted, isOlder(made, wanted) ? await addSubjects(jsm, wanted) : made);
  } catch (error) {
    throw setUpFailure(`stream ${wanted.name}`, error);
  }
}

/** Whether an earlier version made it, which knew fewer subjects. */
function isOlder(made: StreamConfig, { subjects }: Wanted): boolean {
  return made.subjects.length < subjects.length && made.subjects.every((known) => subjects.includes(known));
}

async function addSubjects(jsm: JetStreamManager, { name, subjects }: Wanted): Promise<StreamConfig> {
  return (await jsm.streams.update(name, { subjects })).config;
}

async function findStream(jsm: JetStreamManager, name: string): Promise<StreamConfig | null> {
  try {
    return (await jsm.streams.info(name)).config;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** Someone else may have made it in the meantime. */
async function addStream(jsm: JetStreamManager, wanted: Wanted): Promise<StreamConfig> {
  try {
    return (await jsm.streams.add(wanted)).config;
  } catch (error) {
    const made = await findStream(jsm, wanted.name);
    if (made === null) throw error;
    return made;
  }
}

/**
 * What may differ: the number of copies and the limits of age and size are the operator's to change. Not the window
 * in which ids are remembered: tombstones must outlive it.
 */
const FREE = new Set(["num_replicas", "max_age", "max_bytes", "storage"]);

function compare(name: string, wanted: Wanted, made: StreamConfig): void {
  for (const [field, expected] of Object.entries(wanted)) {
    if (FREE.has(field)) continue;
    const came = made[field as keyof StreamConfig];
    if (canonical(came) === canonical(expected)) continue;
    throw new PunctualError(
      "conflict",
      `stream ${name}: ${field} is ${show(came)}, expected ${show(expected)}; ` +
        "it was made with other settings, or by a server that does not know this one. " +
        "Use another namespace, or remove the stream",
    );
  }
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return JSON.stringify([...value].sort());
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "";
  return JSON.stringify(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

interface WantedConsumer {
  name: string;
  /** Subject. */
  filter: string;
}

async function ensureConsumers(
  connection: NatsConnection,
  jsm: JetStreamManager,
  stream: string,
  consumers: readonly WantedConsumer[],
): Promise<void> {
  try {
    const there = await consumerNames(connection, stream);
    for (const { name, filter } of consumers) {
      if (there.has(name)) continue;
      await jsm.consumers.add(stream, {
        durable_name: name,
        filter_subject: filter,
        ack_policy: AckPolicy.Explicit,
        deliver_policy: DeliverPolicy.All,
        ack_wait: nanos(30_000),
        max_ack_pending: 1_000,
      });
    }
  } catch (error) {
    throw setUpFailure(`consumers of stream ${stream}`, error);
  }
}

async function ensureBucket(
  kvm: Kvm,
  jsm: JetStreamManager,
  { bucket, stream }: { bucket: string; stream: string },
  options: Partial<KvOptions>,
): Promise<KV> {
  try {
    const kv = (await findStream(jsm, stream)) ? await kvm.open(bucket) : await kvm.create(bucket, options);
    const made = (await jsm.streams.info(stream)).config;
    const wanted = {
      name: stream,
      subjects: [`$KV.${bucket}.>`],
      max_msgs_per_subject: options.history ?? 1,
    };
    compare(stream, wanted, made);
    if (options.allow_direct === false && made.allow_direct) {
      throw new PunctualError(
        "conflict",
        `bucket ${bucket}: allow_direct is true, expected false; remove the bucket`,
      );
    }
    return kv;
  } catch (error) {
    throw setUpFailure(`bucket ${bucket}`, error);
  }
}
