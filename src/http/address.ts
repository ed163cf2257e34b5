/** Where to listen: a port of this machine alone, or `host:port`. */
import { invalid } from "../core/errors.js";
import { show } from "../protocol/parse.js";

export interface Address {
  host: string;
  port: number;
}

const LOOPBACK = "127.0.0.1";

/** @throws invalid for what is neither a port nor `host:port`; port 0 takes any that is free */
export function parseAddress(value: number | string, field = "http"): Address {
  const text = String(value).trim();
  const [, host, digits] = /^(?:(\[[0-9a-fA-F:.]+\]|[^\s:/[\]]+):)?(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535)
    throw invalid(field, `expected a port, or host:port as in 0.0.0.0:9464, got ${show(value)}`);
  return { host: host?.replace(/^\[|\]$/g, "") ?? LOOPBACK, port };
}
