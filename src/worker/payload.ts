import type { z } from "zod";
import { type Issue, messageOf, PunctualError } from "../core/errors.js";
import { parseJson, parseWith } from "../protocol/parse.js";

export type ReadPayload =
  | { ok: true; value: unknown }
  | { ok: false; message: string; issues: readonly Issue[] };

const decoder = new TextDecoder("utf-8", { fatal: true });

/** A message's body as the handler gets it; an empty one is null. Anyone can publish, so nothing is believed. */
export function readPayload(body: Uint8Array, schema: z.ZodType | undefined): ReadPayload {
  try {
    const json = body.length === 0 ? null : parseJson(decoder.decode(body), "payload");
    return { ok: true, value: schema === undefined ? json : parseWith(schema, json, "payload") };
  } catch (error) {
    const message = messageOf(error);
    const issues = error instanceof PunctualError ? error.issues : [{ path: "", message }];
    return { ok: false, message, issues };
  }
}
