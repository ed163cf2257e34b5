/** deploy/compose.yaml, without starting it: what it names exists. */
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { z } from "zod";

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "../..");
const DEPLOY = join(ROOT, "deploy");

const composeFile = z.object({
  services: z.record(
    z.string(),
    z.object({
      image: z.string(),
      command: z.array(z.string()),
      build: z.object({ context: z.string(), dockerfile: z.string() }).optional(),
      environment: z.record(z.string(), z.string()).default({}),
      volumes: z.array(z.string()).default([]),
      depends_on: z.record(z.string(), z.unknown()).default({}),
    }),
  ),
  volumes: z.record(z.string(), z.unknown()),
});

/** The parser with which testcontainers reads compose files. */
const yaml: { parse(text: string, options: { merge: boolean }): unknown } = createRequire(
  createRequire(import.meta.url).resolve("testcontainers"),
)("yaml");

const { services, volumes } = composeFile.parse(
  yaml.parse(readFileSync(join(DEPLOY, "compose.yaml"), "utf8"), { merge: true }),
);
const ours = Object.entries(services).filter(([, { build }]) => build !== undefined);
const nodes = Object.keys(services).filter((name) => services[name]?.build === undefined);

describe("deploy/compose.yaml", () => {
  test("has three nodes, which nats.conf joins to a cluster", () => {
    const routes = readFileSync(join(DEPLOY, "nats.conf"), "utf8").match(/routes: \[(.*)\]/)?.[1];
    expect(routes?.split(", ")).toEqual(nodes.map((name) => `nats://${name}:6222`));
    expect(nodes).toHaveLength(3);
  });

  test.for(ours)("%s is a command of ours, for all nodes", async ([, service]) => {
    const { command, environment, depends_on: dependsOn, build } = service;
    const { stdout } = await run(process.execPath, [join(ROOT, "dist/cli/main.js"), ...command, "--help"]);
    expect(stdout).toContain(`Usage: punctual ${command.join(" ")} `);
    for (const variable of Object.keys(environment)) expect(stdout).toContain(variable);
    expect(environment.PUNCTUAL_SERVER?.split(",")).toEqual(nodes.map((name) => `nats://${name}:4222`));
    expect(Object.keys(dependsOn)).toEqual(nodes);
    expect(existsSync(join(DEPLOY, build?.context ?? "", build?.dockerfile ?? ""))).toBe(true);
  });

  test("mounts what is there", () => {
    const sources = Object.values(services).flatMap((service) =>
      service.volumes.map((volume) => volume.split(":")[0] ?? ""),
    );
    const missing = sources.filter((source) =>
      source.startsWith(".") ? !existsSync(join(DEPLOY, source)) : !(source in volumes),
    );
    expect(missing).toEqual([]);
  });
});
