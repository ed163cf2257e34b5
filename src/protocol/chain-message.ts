/** What follows upon a job, by the headers of its message. */
import type { Following } from "../core/chain.js";
import { shardOf } from "../core/hash.js";
import { readMember } from "./chain-input.js";
import { headers as h } from "./headers.js";
import type { Names } from "./names.js";
import { parseJobSubject } from "./subjects.js";

type Headers = Readonly<Record<string, string>>;

const memberIn = (headers: Headers): string | undefined =>
  // A job that follows upon a group names it without an index.
  headers[h.group]?.includes("/") === true ? headers[h.group] : undefined;

/** Whether something follows upon its end. */
export const isFollowed = (headers: Headers): boolean =>
  headers[h.onSuccess] !== undefined || headers[h.onFailure] !== undefined || memberIn(headers) !== undefined;

/** Bytes that it takes among the headers. */
export const followerBytes = (headers: Headers): number =>
  (headers[h.onSuccess]?.length ?? 0) + (headers[h.onFailure]?.length ?? 0);

/** The record that is to be there before the job is; undefined: nothing follows. @throws invalid for a group that is none */
export function followingOf(
  runId: string,
  { subject, headers }: { subject: string; headers: Headers },
  { names, shards }: { names: Names; shards: number },
): Following | undefined {
  if (!isFollowed(headers)) return undefined;
  const queue = parseJobSubject(subject)?.queue ?? "";
  const member = memberIn(headers);
  const group = member === undefined ? null : readMember(member, h.group);
  const shard = shardOf(group?.id ?? runId, shards);
  const key =
    group === null ? names.chainKey(shard, runId) : names.memberOfGroupKey(shard, group.id, group.index);
  const [onSuccess = null, onFailure = null] = [headers[h.onSuccess], headers[h.onFailure]];
  const record = { kind: "run", runId, queue, onSuccess, onFailure, group, decided: null } as const;
  return { key, record, groupKey: group && names.groupKey(shard, group.id) };
}

/** The shard of a key in the bucket of chains. */
export const shardOfChain = (key: string): number => Number(key.slice(0, key.indexOf(".")));
