/** Whole orchestrators over real connections, and the history of a shard as anyone can watch it. */
import { onTestFinished } from "vitest";
import type { Clock, LeaseHint, Membership } from "../../src/core/ports.js";
import { Memory } from "../../src/orchestrator/memory.js";
import { type OrchestratorOptions, orchestratorOptions } from "../../src/orchestrator/options.js";
import { type OrchestratorPorts, OrchestratorSession } from "../../src/orchestrator/session.js";
import { systemClock } from "../../src/runtime/clock.js";
import { silentLogger } from "../../src/runtime/log.js";
import { FaultyLeases } from "./faults.js";
import type { Scene } from "./scene.js";

export const memberOf = (id: string) => ({
  role: "orchestrator" as const,
  id,
  host: "here",
  pid: process.pid,
  startedAt: systemClock.now(),
});

let nonces = 0;

export async function startSession(
  scene: Pick<Scene, "open">,
  id: string,
  options: OrchestratorOptions = {},
  clock: Clock = systemClock,
) {
  const { connection, ports } = await scene.open();
  const leases = new FaultyLeases(ports.leases);
  const all: OrchestratorPorts = {
    ...ports,
    clock,
    leases,
    log: silentLogger,
    newNonce: () => `${id}-${nonces++}`,
  };
  const settings = orchestratorOptions.parse(options);
  const session = new OrchestratorSession(all, settings, memberOf(id), new Memory());
  onTestFinished(async () => {
    void session.stop().catch(() => {});
    await connection.close();
  });
  await session.start();
  return { session, leases, connection };
}

export interface Seen extends LeaseHint {
  /** Monotonic. */
  at: number;
}

/** Every record of the shards, as it is written. */
export async function watchLeases(scene: Scene): Promise<Seen[]> {
  const seen: Seen[] = [];
  const watch = await scene.ports.leases.watch((hint) => seen.push({ ...hint, at: systemClock.monotonic() }));
  onTestFinished(() => watch.stop());
  return seen;
}

/** A membership whose probes a test can follow. */
export function withProbes(
  inner: Membership,
  around: (probe: () => ReturnType<Membership["probe"]>) => ReturnType<Membership["probe"]>,
): Membership {
  return {
    announce: (member) => inner.announce(member),
    leave: (member) => inner.leave(member),
    list: () => inner.list(),
    watch: (onChange) => inner.watch(onChange),
    answerProbes: (memberId) => inner.answerProbes(memberId),
    probe: (memberId) => around(() => inner.probe(memberId)),
  };
}
