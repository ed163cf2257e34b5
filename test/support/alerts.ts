/** Orchestrators that look at alert rules often, and what is heard of it. */
import { onTestFinished } from "vitest";
import type { OrchestrateOptions } from "../../src/connect.js";
import type { EmbeddedServer } from "../../src/runtime/embedded/server.js";
import { until } from "./scene.js";
import { Stage } from "./stage.js";

export interface Heard {
  id: string;
  rule: string;
  kind: string;
  state: "raised" | "over";
  scheduleId: string | null;
  queue: string | null;
  heartbeat: string | null;
  text: string;
  data: Record<string, unknown>;
}

/** All alerts of a namespace from now on. */
export async function hear(stage: Stage): Promise<Heard[]> {
  const heard: Heard[] = [];
  stage.raw.subscribe(stage.names.alert(">"), {
    callback: (_error, message) => void heard.push(message.json<Heard>()),
  });
  await stage.raw.flush();
  return heard;
}

/** A stage with an orchestrator that looks ten times a second. */
export async function alerting(server: EmbeddedServer, options: OrchestrateOptions = {}) {
  const stage = await Stage.open(server);
  const heard = await hear(stage);
  const orchestrate = async () => {
    const orchestrator = await stage.punctual.orchestrate({ alertEvery: 100, ...options });
    onTestFinished(() => orchestrator.stop());
    return orchestrator;
  };
  const orchestrator = await orchestrate();
  /** Resolves with what was told in all, as soon as a rule has told so many times. */
  const told = (rule: string, times: number) =>
    until(() => {
      const own = heard.filter((alert) => alert.rule === rule);
      if (own.length < times) throw new Error(`heard ${JSON.stringify(heard.map(({ id }) => id))}`);
      return own;
    });
  return { stage, client: stage.client, heard, told, orchestrator, orchestrate };
}

export const statesOf = (heard: readonly Heard[]): string[] => heard.map(({ state }) => state);
