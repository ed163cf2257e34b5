/** The configuration file of an embedded server. */
import { join } from "node:path";
import { isAtLeast } from "./releases.js";

/** The first server that knows `sync_interval`. */
const SYNC_INTERVAL_SINCE = "2.10.0";

export interface ServerConfig {
  dataDir: string;
  /** 0 lets the system choose. */
  port: number;
  syncAlways: boolean;
  /** More lines, as they are. */
  extra: string;
}

/** Whether a server can be told to sync every write to disk before it acknowledges it. */
export function canSyncAlways(version: string): boolean {
  return isAtLeast(version, SYNC_INTERVAL_SINCE);
}

export const configPath = (dataDir: string): string => join(dataDir, "nats-server.conf");

/** Where the server writes which port it got: `<executable>_<pid>.ports`. */
export const portsFolder = (dataDir: string): string => join(dataDir, "ports");

export function configText(config: ServerConfig): string {
  const sync = config.syncAlways ? ", sync_interval: always" : "";
  return [
    "# Written at every start.",
    `listen: "127.0.0.1:${config.port === 0 ? -1 : config.port}"`,
    'server_name: "punctual-embedded"',
    `jetstream { store_dir: ${quoted(config.dataDir)}${sync} }`,
    `ports_file_dir: ${quoted(portsFolder(config.dataDir))}`,
    config.extra,
    "",
  ].join("\n");
}

/** The server's strings know the escapes of JSON. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
