import { limits } from "../protocol/limits.js";
import { jsonOf } from "../protocol/parse.js";

/** What is kept of a handler's return value: JSON of at most `limits.errorLength` bytes, else nothing. */
export function resultOf(value: unknown): unknown {
  if (value === undefined) return undefined;
  const json = jsonOf(value);
  if (json === undefined || Buffer.byteLength(json) > limits.errorLength) return undefined;
  return value;
}
