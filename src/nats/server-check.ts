/** Refusing what cannot work, before anything is made. */
import type { JetStreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { PunctualError } from "../core/errors.js";
import { setUpFailure } from "./refusal.js";

/** Oldest server that can be worked with, alone and in a cluster. */
const MINIMUM = "2.9.10";
/** Older clusters can let two compare-and-swap writes both succeed. */
const MINIMUM_CLUSTERED = "2.9.21";

export interface ServerFacts {
  name: string;
  version: string;
  clustered: boolean;
  /** It tells of a cluster, be it one or not. */
  namesCluster: boolean;
  maxPayload: number;
}

/** @throws unsupported when the server is too old or has no JetStream; denied when we may not use it */
export async function checkServer(connection: NatsConnection, jsm: JetStreamManager): Promise<ServerFacts> {
  const facts = serverFacts(connection);
  checkVersion(facts.version, facts.clustered);
  try {
    await jsm.getAccountInfo();
  } catch (error) {
    throw setUpFailure("JetStream", error);
  }
  return facts;
}

export function serverFacts(connection: NatsConnection): ServerFacts {
  const info = connection.info;
  if (info === undefined) throw new PunctualError("unavailable", "the connection is not open");
  return {
    name: info.server_name,
    version: info.version,
    clustered: isCluster(info.cluster, info.server_name),
    namesCluster: info.cluster !== undefined && info.cluster !== "",
    maxPayload: info.max_payload,
  };
}

/** A leaf node that is in no cluster names itself as one: so its hub tells leaf nodes apart. */
export const isCluster = (cluster: string | undefined, serverName: string): boolean =>
  cluster !== undefined && cluster !== "" && cluster !== serverName;

/**
 * Whether streams are clustered is for JetStream to say, which may be on another server than the one that we talk to.
 *
 * @throws unsupported
 */
export async function checkStreams(
  jsm: JetStreamManager,
  stream: string,
  { version, namesCluster }: ServerFacts,
): Promise<void> {
  if (!namesCluster || !isOlder(version, MINIMUM_CLUSTERED)) return;
  const { cluster } = await jsm.streams.info(stream);
  checkVersion(version, cluster !== undefined);
}

export function checkVersion(version: string, clustered: boolean): void {
  const minimum = clustered ? MINIMUM_CLUSTERED : MINIMUM;
  if (isOlder(version, minimum)) {
    throw new PunctualError(
      "unsupported",
      `nats-server ${version}${clustered ? " in a cluster" : ""}: expected ${minimum} or newer; upgrade the server`,
    );
  }
}

export function isOlder(version: string, minimum: string): boolean {
  const parts = (text: string) => text.split("-")[0]?.split(".").map(Number) ?? [];
  const [own, least] = [parts(version), parts(minimum)];
  for (let i = 0; i < 3; i++) {
    const difference = (own[i] ?? 0) - (least[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
