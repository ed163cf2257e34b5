/** The options that every command has, before it or after it, and what they say about the connection. */
import { type Command, Option } from "commander";
import { invalid } from "../core/errors.js";
import { limits } from "../protocol/limits.js";
import { checkNamespace } from "../protocol/names.js";
import type { ConnectOptions } from "./runtime.js";

const globals = [
  {
    flags: "--server <urls>",
    env: ["PUNCTUAL_SERVER", "NATS_URL"],
    text: "NATS servers, comma separated (default: nats://127.0.0.1:4222)",
  },
  { flags: "--creds <file>", env: ["PUNCTUAL_CREDS"], text: "credentials file" },
  { flags: "--nkey <file>", env: ["PUNCTUAL_NKEY"], text: "file with an nkey seed" },
  { flags: "--user <name>", env: ["PUNCTUAL_USER"], text: "user name" },
  { flags: "--password <text>", env: ["PUNCTUAL_PASSWORD"], text: "password" },
  { flags: "--token <text>", env: ["PUNCTUAL_TOKEN"], text: "token" },
  { flags: "--tls", env: [], text: "TLS with the system's authorities" },
  { flags: "--tls-ca <file>", env: ["PUNCTUAL_TLS_CA"], text: "authorities to trust, PEM" },
  { flags: "--tls-cert <file>", env: ["PUNCTUAL_TLS_CERT"], text: "own certificate, PEM" },
  { flags: "--tls-key <file>", env: ["PUNCTUAL_TLS_KEY"], text: "its key, PEM" },
  {
    flags: "--namespace <name>",
    env: ["PUNCTUAL_NAMESPACE"],
    text: "keeps tenants on one server apart (default: punctual)",
  },
  {
    flags: "--replicas <n>",
    env: ["PUNCTUAL_REPLICAS"],
    text: "copies of every stream that is made: 1, 3 or 5 (default: 1)",
  },
  {
    flags: "--author <name>",
    env: ["PUNCTUAL_AUTHOR"],
    text: "who makes a change, for the history (default: user@host)",
  },
  { flags: "--json", env: [], text: "JSON on stdout, one document a line; errors as JSON" },
  { flags: "--quiet", env: [], text: "no notes, only results and errors" },
] as const;

type Environment = Readonly<Record<string, string | undefined>>;

/** Known to the program alone: commander finds them before and after a command. */
export function addGlobalOptions(program: Command): void {
  for (const { flags, env, text } of globals)
    program.addOption(new Option(flags, env.length === 0 ? text : `${text} [${env.join(", ")}]`));
}

/** What was given, by name (`tlsCa`): the option, or else the first of its variables that is not empty. */
export interface GlobalValues {
  text(name: string): string | undefined;
  switch(name: "json" | "quiet" | "tls"): boolean;
}

export function globalValues(options: Readonly<Record<string, unknown>>, env: Environment): GlobalValues {
  const variables = new Map<string, readonly string[]>(
    globals.map(({ flags, env: names }) => [new Option(flags).attributeName(), names]),
  );
  return {
    text(name) {
      const given = options[name];
      if (typeof given === "string") return given;
      return variables
        .get(name)
        ?.map((variable) => env[variable])
        .find((value) => value !== undefined && value !== "");
    },
    switch: (name) => options[name] === true,
  };
}

/** Checks them and says how to connect. */
export function connectOptionsOf(values: GlobalValues): ConnectOptions {
  const servers = values.text("server");
  const namespace = values.text("namespace");
  const replicas = values.text("replicas");
  const user = values.text("user");
  const password = values.text("password");
  if (password !== undefined && user === undefined) throw invalid("--password", "expected --user with it");
  return {
    ...(servers !== undefined && { servers: serverList(servers) }),
    ...definedTexts(values, ["creds", "nkey", "token"]),
    ...(user !== undefined && { user }),
    ...(password !== undefined && { password }),
    ...tlsOf(values),
    ...(namespace !== undefined && { namespace: namespaceOf(namespace) }),
    ...(replicas !== undefined && { replicas: replicasOf(replicas) }),
  };
}

function definedTexts<N extends string>(values: GlobalValues, names: readonly N[]): { [K in N]?: string } {
  const texts: { [K in N]?: string } = {};
  for (const name of names) {
    const text = values.text(name);
    if (text !== undefined) texts[name] = text;
  }
  return texts;
}

function serverList(text: string): string[] {
  const servers = text.split(",").map((server) => server.trim());
  for (const server of servers) {
    if (!/^(?:(?:nats|tls):\/\/)?[^\s/]+\/?$/.test(server))
      throw invalid(
        "--server",
        `expected URLs such as nats://127.0.0.1:4222, comma separated, got ${JSON.stringify(text)}`,
      );
  }
  return servers;
}

function tlsOf(values: GlobalValues): Pick<ConnectOptions, "tls"> {
  const ca = values.text("tlsCa");
  const cert = values.text("tlsCert");
  const key = values.text("tlsKey");
  if ((cert === undefined) !== (key === undefined))
    throw invalid(
      cert === undefined ? "--tls-cert" : "--tls-key",
      "expected both --tls-cert and --tls-key, or neither",
    );
  if (ca === undefined && cert === undefined && !values.switch("tls")) return {};
  return {
    tls: {
      ...(ca !== undefined && { ca }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
    },
  };
}

function namespaceOf(text: string): string {
  try {
    return checkNamespace(text);
  } catch (error) {
    throw invalid("--namespace", (error as Error).message.replace(/^namespace: /, ""));
  }
}

function replicasOf(text: string): number {
  if (!["1", "3", "5"].includes(text))
    throw invalid("--replicas", `expected 1, 3 or 5, got ${JSON.stringify(text)}`);
  return Number(text);
}

/** A whole number within bounds, or an `invalid` error that names the flag. */
export function wholeNumber(flag: string, text: string, min: number, max: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max))
    throw invalid(flag, `expected a whole number from ${min} to ${max}, got ${JSON.stringify(text)}`);
  return value;
}

export const shardsOf = (text: string): number =>
  wholeNumber("--shards", text, limits.minShards, limits.maxShards);
