/** The programs that tests start as processes of their own. */
import { fileURLToPath } from "node:url";

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

export const orchestratorProgram = (servers: string, id: string, namespace = "punctual"): string[] => [
  path("../../dist/demo/orchestrator-process.js"),
  servers,
  id,
  namespace,
];

export const receivingWorker = (
  servers: string,
  namespace = "punctual",
  mode = "lines",
  queue = "default",
): string[] => ["--import", "tsx", path("./receiving-worker.ts"), servers, namespace, queue, mode];

export const workingProcess = (
  servers: string,
  namespace: string,
  queue: string,
  deadlineMs = 0,
): string[] => [
  "--import",
  "tsx",
  path("./working-process.ts"),
  servers,
  namespace,
  queue,
  String(deadlineMs),
];

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
