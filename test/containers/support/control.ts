import { GenericContainer, type StartedNetwork, type StartedTestContainer, Wait } from "testcontainers";
import { dockerClient } from "./docker.js";

/** Carried by every container that startContainer starts; its value is the network's name. */
const NETWORK_LABEL = "punctual.test.network";

export interface ContainerSpec {
  image: string;
  /** Also its name on the network. */
  name: string;
  /** What follows the image's entry point. */
  command: string[];
  env?: Record<string, string>;
  /** Ports in the container → fixed ports of the host; those that Docker chooses change with each start. */
  ports?: Record<number, number>;
  /** Paths in the container → files here. */
  files?: Record<string, string>;
  /** Wait for a log line like this; default: do not wait. */
  waitFor?: RegExp;
}

/** What a test can do to a running container. */
export interface ContainerControl {
  readonly id: string;
  /** Its name, also on the network. */
  readonly name: string;
  /** SIGKILL: nothing is handed over or flushed. */
  kill(): Promise<void>;
  /** SIGTERM, then SIGKILL after the grace time (default 30 seconds). */
  stop(graceSeconds?: number): Promise<void>;
  /** Starts it again after kill or stop, with the same files, name and ports. */
  start(): Promise<void>;
  /** Freezes all its processes, as SIGSTOP does. */
  pause(): Promise<void>;
  unpause(): Promise<void>;
  /** Takes it off the network: nothing gets in or out, and its connections are not closed. */
  cut(): Promise<void>;
  /** Puts it back, under its name. */
  join(): Promise<void>;
  /** All it has printed. */
  logs(): Promise<string>;
  /** Kills and removes it. */
  remove(): Promise<void>;
}

/**
 * A container on the given network and no other. (`withNetworkAliases` would leave it on the default network
 * too, where it can still be reached after a cut.)
 */
class Member extends GenericContainer {
  constructor(image: string, network: StartedNetwork, alias: string) {
    super(image);
    this.withNetwork(network);
    this.createOpts.NetworkingConfig = { EndpointsConfig: { [network.getName()]: { Aliases: [alias] } } };
  }
}

/** Starts a container on the network. */
export async function startContainer(
  network: StartedNetwork,
  spec: ContainerSpec,
): Promise<ContainerControl> {
  const { ports = {}, files = {} } = spec;
  const container = new Member(spec.image, network, spec.name)
    .withLabels({ [NETWORK_LABEL]: network.getName() })
    .withCommand(spec.command)
    .withEnvironment(spec.env ?? {})
    .withExposedPorts(...Object.entries(ports).map(([inside, host]) => ({ container: Number(inside), host })))
    .withCopyFilesToContainer(Object.entries(files).map(([target, source]) => ({ source, target })));
  if (spec.waitFor) container.withWaitStrategy(Wait.forLogMessage(spec.waitFor));
  return control(await container.start(), network, spec.name);
}

/** Removes every container that startContainer put on the network, cut ones too, and the network. */
export async function removeNetwork(network: StartedNetwork): Promise<void> {
  const { dockerode } = (await dockerClient()).container;
  const label = [`${NETWORK_LABEL}=${network.getName()}`];
  const found = await dockerode.listContainers({ all: true, filters: { label } });
  await Promise.all(found.map(({ Id }) => dockerode.getContainer(Id).remove({ force: true, v: true })));
  await network.stop();
}

async function control(
  started: StartedTestContainer,
  network: StartedNetwork,
  name: string,
): Promise<ContainerControl> {
  const client = await dockerClient();
  const container = client.container.getById(started.getId());
  const net = client.network.getById(network.getId());
  const act = async (action: Promise<unknown>): Promise<void> => void (await action);
  return {
    id: started.getId(),
    name,
    kill: () => act(container.kill()),
    stop: (graceSeconds = 30) => act(container.stop({ t: graceSeconds })),
    start: () => act(container.start()),
    pause: () => act(container.pause()),
    unpause: () => act(container.unpause()),
    cut: () => act(net.disconnect({ Container: container.id, Force: true })),
    join: () => act(net.connect({ Container: container.id, EndpointConfig: { Aliases: [name] } })),
    logs: async () => withoutFrames(await container.logs({ stdout: true, stderr: true, follow: false })),
    remove: () => act(container.remove({ force: true, v: true })),
  };
}

/** Docker frames log output: an eight-byte header, its last four the length, before each piece. */
function withoutFrames(log: Buffer): string {
  const pieces: Buffer[] = [];
  for (let at = 0; at + 8 <= log.length; ) {
    const end = at + 8 + log.readUInt32BE(at + 4);
    pieces.push(log.subarray(at + 8, end));
    at = end;
  }
  return Buffer.concat(pieces).toString("utf8");
}
