/** A three-node JetStream cluster in containers, with the configuration of deploy/. */
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { Network, type StartedNetwork } from "testcontainers";
import { type ContainerControl, type ContainerSpec, removeNetwork, startContainer } from "./control.js";
import { dockerClient } from "./docker.js";
import { natsImage } from "./images.js";
import { until } from "./until.js";

const NAMES = ["n1", "n2", "n3"];
const CONFIG = join(import.meta.dirname, "../../../deploy/nats.conf");
const CLIENT_PORT = 4222;
const MONITOR_PORT = 8222;

export interface ClusterNode extends ContainerControl {
  /** As seen from the tests. It stays the same when the node is killed and started. */
  readonly hostUrl: string;
  /** As seen by containers on the cluster's network. */
  readonly networkUrl: string;
  /** The server's HTTP monitor, as seen from the tests. */
  readonly monitorUrl: string;
}

export interface Cluster {
  readonly network: StartedNetwork;
  readonly nodes: readonly ClusterNode[];
  readonly hostUrls: string[];
  readonly networkUrls: string[];
  /** Resolves when that many nodes (default: all) are healthy, have all their routes and know all leaders. */
  ready(nodes?: number, timeoutMs?: number): Promise<void>;
  /** The node that leads the stream now; waits while there is none. */
  streamLeader(stream: string, timeoutMs?: number): Promise<ClusterNode>;
  /** Starts another container on the cluster's network, for example the product with PUNCTUAL_SERVER set. */
  run(spec: ContainerSpec): Promise<ContainerControl>;
  /** Removes the nodes, everything started with `run`, and the network. */
  close(): Promise<void>;
}

interface StreamDetail {
  name: string;
  cluster?: { leader?: string };
}

interface JetStreamReport {
  /** Only the leader lists the others. */
  meta_cluster?: { leader?: string; replicas?: { name: string; offline?: boolean }[] };
  account_details?: { stream_detail?: StreamDetail[] }[];
}

interface NodeReport {
  jetstream: JetStreamReport;
  server: ServerReport;
}

interface ServerReport {
  server_name: string;
  routes: number;
  remotes: number;
  cluster: { pool_size: number };
}

/** Starts the cluster and waits until it takes replicated streams. Needs a Docker daemon. */
export async function startCluster(): Promise<Cluster> {
  const image = await natsImage();
  await dockerClient();
  const network = await new Network().start();
  try {
    const ports = await freePorts(NAMES.length * 2);
    const nodes = await Promise.all(
      NAMES.map((name, i) => startNode(image, network, name, [ports[i * 2]!, ports[i * 2 + 1]!])),
    );
    const cluster = assemble(network, nodes);
    await cluster.ready();
    await takesReplicas(cluster.hostUrls);
    return cluster;
  } catch (error) {
    await removeNetwork(network);
    throw error;
  }
}

/**
 * Resolves when the cluster has made a stream on all nodes. A leader that has met the others still refuses them until
 * each has reported its resources, and no page of the monitor tells whether it has.
 */
async function takesReplicas(servers: string[]): Promise<void> {
  const nats = await connect({ servers });
  try {
    const { streams } = await jetstreamManager(nats);
    const trial = { name: "TRIAL", subjects: ["trial"], num_replicas: NAMES.length };
    await until("stream on all nodes", 30_000, () =>
      streams.add(trial).then(
        () => true,
        () => undefined,
      ),
    );
    await streams.delete(trial.name);
  } finally {
    await nats.close();
  }
}

async function startNode(
  image: string,
  network: StartedNetwork,
  name: string,
  [clientPort, monitorPort]: [number, number],
): Promise<ClusterNode> {
  const { host } = (await dockerClient()).info.containerRuntime;
  const container = await startContainer(network, {
    image,
    name,
    command: ["--config", "/etc/nats/nats.conf", "--name", name],
    ports: { [CLIENT_PORT]: clientPort, [MONITOR_PORT]: monitorPort },
    files: { "/etc/nats/nats.conf": CONFIG },
    waitFor: /Listening for client connections/,
  });
  return {
    ...container,
    hostUrl: `nats://${host}:${clientPort}`,
    networkUrl: `nats://${name}:${CLIENT_PORT}`,
    monitorUrl: `http://${host}:${monitorPort}`,
  };
}

function assemble(network: StartedNetwork, nodes: ClusterNode[]): Cluster {
  return {
    network,
    nodes,
    hostUrls: nodes.map((node) => node.hostUrl),
    networkUrls: nodes.map((node) => node.networkUrl),
    ready: (count = nodes.length, timeoutMs = 60_000) =>
      until(`${count} settled nodes`, timeoutMs, async () => {
        const reports = await Promise.all(nodes.map(report));
        const alive = nodes.filter((_, i) => reports[i] !== undefined).map(({ name }) => name);
        const settled = reports.filter((one) => one !== undefined && isSettled(one, alive));
        return settled.length >= count ? true : undefined;
      }).then(() => undefined),
    streamLeader: (stream, timeoutMs = 60_000) =>
      until(`a leader of stream ${stream}`, timeoutMs, async () => {
        const claims = await Promise.all(nodes.map((node) => leads(node, stream)));
        return nodes.find((_, i) => claims[i]);
      }),
    run: (spec) => startContainer(network, spec),
    close: () => removeNetwork(network),
  };
}

/** What the node says of itself; undefined when it does not answer, or not that it is healthy. */
async function report(node: ClusterNode): Promise<NodeReport | undefined> {
  const [health, jetstream, server] = await Promise.all([
    monitor(node, "/healthz"),
    monitor<JetStreamReport>(node, "/jsz?accounts=true&streams=true"),
    monitor<ServerReport>(node, "/varz"),
  ]);
  if (health?.status !== "ok" || jetstream === undefined || server === undefined) return undefined;
  return { jetstream, server };
}

/**
 * With all routes to the others, and with a leader known that is alive, for JetStream and for each stream here. A
 * node opens several routes to each other node, and an answer sent while they are still being agreed on can be
 * lost. A node that knows no leader of a stream answers for it by itself, out of date; one that has lost the
 * leader believes in it for some seconds. JetStream's own leader places no stream on a node that it has not met.
 */
function isSettled({ jetstream, server }: NodeReport, alive: readonly string[]): boolean {
  const { leader, replicas = [] } = jetstream.meta_cluster ?? {};
  const leaders = [leader, ...streams(jetstream).map(({ cluster }) => cluster?.leader)];
  if (!leaders.every((name) => name !== undefined && alive.includes(name))) return false;
  const met = [server.server_name, ...replicas.filter(({ offline }) => !offline).map(({ name }) => name)];
  if (leader === server.server_name && !alive.every((name) => met.includes(name))) return false;
  // One more for the system account, which has its own.
  const routes = server.remotes * (server.cluster.pool_size + 1);
  return server.remotes >= alive.length - 1 && server.routes === routes;
}

/** A node's own claim: what the others say of it may be out of date. */
async function leads(node: ClusterNode, stream: string): Promise<boolean> {
  const jetstream = await monitor<JetStreamReport>(node, "/jsz?accounts=true&streams=true");
  const detail = streams(jetstream).find(({ name }) => name === stream);
  return detail?.cluster?.leader === node.name;
}

function streams(jetstream: JetStreamReport | undefined): StreamDetail[] {
  return (jetstream?.account_details ?? []).flatMap((account) => account.stream_detail ?? []);
}

/** What a page of the node's monitor says; undefined when it does not answer. */
async function monitor<T = { status?: string }>(node: ClusterNode, page: string): Promise<T | undefined> {
  return fetch(`${node.monitorUrl}${page}`, { signal: AbortSignal.timeout(2_000) }).then(
    async (response) => (await response.json()) as T,
    () => undefined,
  );
}

/** Ports that were free a moment ago, all different. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = servers.map(async (server) => {
    await new Promise<void>((resolve) => server.listen(0, () => resolve()));
    return (server.address() as AddressInfo).port;
  });
  const found = await Promise.all(ports);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return found;
}
