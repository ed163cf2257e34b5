/**
 * Jobs that follow upon others, as callers ask for them: checked when they are asked for, and kept as the JSON that was
 * given, to be read again when their time has come. A delay counts from then.
 */
import { z } from "zod";
import { invalid } from "../core/errors.js";
import { headers as h } from "./headers.js";
import { checkJob, jobFields } from "./job-fields.js";
import { limits } from "./limits.js";
import { checkGroupId } from "./names.js";
import { jsonOf, parseJson, parseWith, read, show } from "./parse.js";

const jobInput = z.strictObject(jobFields);

/** A job that follows upon another. Its run id follows from that one's. */
export interface Follower extends z.input<typeof jobInput> {
  onSuccess?: Follower | undefined;
  onFailure?: Follower | undefined;
}

const LINKS = ["onSuccess", "onFailure"] as const;

/** Its output is the JSON. */
export const follower = z.custom<Follower>().transform((value, context): string => {
  const refuse = (message: string) => {
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  };
  if (isTooDeep(value)) return refuse(`expected at most ${limits.chainDepth} jobs in a row, got more`);
  const given = read(followerRequest, value);
  if (!given.success) {
    for (const issue of given.error.issues) context.addIssue({ ...issue });
    return z.NEVER;
  }
  const text = asciiJson(value);
  if (text.length > limits.chainBytes)
    return refuse(`expected at most ${limits.chainBytes} bytes with all that follows, got ${text.length}`);
  return text;
});

export const followerRequest = z
  .strictObject({ ...jobFields, onSuccess: follower.optional(), onFailure: follower.optional() })
  .superRefine(checkJob);

/** Iteratively, and before anything is read: what comes may be nested however deep. */
function isTooDeep(value: unknown): boolean {
  let level = [value];
  for (let depth = 0; depth < limits.chainDepth; depth++) {
    level = level
      .flatMap((job) => LINKS.map((link) => fieldOf(job, link)))
      .filter((job) => job !== undefined);
    if (level.length === 0) return false;
  }
  return true;
}

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;

/** For a header: whatever a client makes of other letters. */
const asciiJson = (value: unknown): string =>
  (jsonOf(value) ?? "null").replace(
    /[\u007f-\uffff]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

/** A member of a group, `<id>/<index>`. @throws invalid */
export function readMember(text: string, field: string): { id: string; index: number } {
  const [id, index = "", ...more] = text.split("/");
  const number = Number(index);
  if (!/^\d{1,5}$/.test(index) || more.length > 0 || number >= limits.groupMembers)
    throw invalid(field, `expected <group id>/<index from 0>, such as import-7/0, got ${show(text)}`);
  return { id: checkGroupId(id, field), index: number };
}

/** @throws invalid naming the header */
export function followerHeadersIn(headers: Readonly<Record<string, string>>): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of [h.onSuccess, h.onFailure]) {
    const text = headers[name];
    if (text === undefined) continue;
    if (text.length > limits.chainBytes)
      throw invalid(name, `expected at most ${limits.chainBytes} bytes, got ${text.length}`);
    kept[name] = parseWith(follower, parseJson(text, name), name);
  }
  const member = headers[h.group];
  if (member !== undefined) {
    const { id, index } = readMember(member, h.group);
    kept[h.group] = `${id}/${index}`;
  }
  return kept;
}
