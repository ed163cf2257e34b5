import { invalid } from "../core/errors.js";
import { limits } from "../protocol/limits.js";
import { jsonOf, show } from "../protocol/parse.js";

/** How far a job is: from 0 to 1, or whatever JSON its handler likes. */
export type Progress = number | string | object;

/**
 * @returns a copy
 * @throws invalid when it is none
 */
export function readProgress(value: Progress): Progress {
  const json = jsonOf(value);
  if (json !== undefined && isProgress(value, json)) return JSON.parse(json);
  const expected = `expected a number from 0 to 1, or JSON of at most ${limits.progressBytes} bytes`;
  throw invalid("progress", `${expected}, got ${show(value)}`);
}

function isProgress(value: Progress, json: string): boolean {
  if (typeof value === "number") return value >= 0 && value <= 1;
  return Buffer.byteLength(json) <= limits.progressBytes;
}
