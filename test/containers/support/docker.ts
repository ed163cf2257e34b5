import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { type ContainerRuntimeClient, getContainerRuntimeClient } from "testcontainers";

const run = promisify(execFile);

/** The daemon's client. Throws when no daemon answers. */
export async function dockerClient(): Promise<ContainerRuntimeClient> {
  // The cleaner container would have to be pulled from a registry; the tests remove what they start.
  process.env.TESTCONTAINERS_RYUK_DISABLED ??= "true";
  return getContainerRuntimeClient();
}

export async function dockerAnswers(): Promise<boolean> {
  return dockerClient().then(
    () => true,
    () => false,
  );
}

/**
 * For `describe.skipIf(await dockerIsMissing())`: true, after one line that says so, when no daemon answers.
 * In CI a missing daemon is a failure: then this throws.
 */
export async function dockerIsMissing(): Promise<boolean> {
  if (await dockerAnswers()) return false;
  if (process.env.CI) throw new Error("no Docker daemon answers; start one with .ci/docker.sh start");
  console.warn("skipped: the container tests, as no Docker daemon answers (.ci/docker.sh start starts one)");
  return true;
}

/** Runs the docker command and returns what it printed; an error carries the end of its output. */
export async function docker(...args: string[]): Promise<string> {
  const env = { ...process.env, ...(await sameDaemon()) };
  try {
    const { stdout } = await run("docker", args, { env, maxBuffer: 64 * 1024 * 1024 });
    return stdout;
  } catch (cause) {
    const output = cause as { stderr?: string; stdout?: string };
    const tail = `${output.stdout ?? ""}${output.stderr ?? ""}`.trim().split("\n").slice(-15).join("\n");
    throw new Error(`docker ${args[0]} failed:\n${tail || cause}`);
  }
}

/** The library looks in more places than the command: what one builds, the other has to find. */
async function sameDaemon(): Promise<{ DOCKER_HOST?: string }> {
  const { modem } = (await dockerClient()).container.dockerode;
  const socket = "socketPath" in modem ? modem.socketPath : undefined;
  return typeof socket === "string" ? { DOCKER_HOST: `unix://${socket}` } : {};
}
