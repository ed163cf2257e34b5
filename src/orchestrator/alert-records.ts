/** Definitions in the bucket of alerts: read, changed and removed, each as a whole. */
import type { AlertRecord, AlertRecordKind, AlertStore } from "../core/alert-store.js";
import { PunctualError } from "../core/errors.js";

/** Definitions of one kind. */
export interface Definable<T> {
  kind: AlertRecordKind;
  /** What people call one. */
  what: string;
  /** So many there may be. */
  most: number;
  /** Throws `invalid` for what is none. */
  decode(name: string, text: string): T;
}

export interface Edit {
  name: string;
  ifRevision?: number | undefined;
}

export interface Stored<T> {
  value: T;
  revision: number;
}

const TRIES = 10;

/** @throws not_found, and invalid for what somebody wrote past the API */
export async function getRecord<T>(store: AlertStore, of: Definable<T>, name: string): Promise<Stored<T>> {
  const record = await store.get({ kind: of.kind, name });
  if (record === null) throw notFound(of, name);
  return { value: of.decode(name, record.text), revision: record.revision };
}

/** By name, without those that cannot be read: the log tells of them. */
export async function readableRecords<T>(store: AlertStore, of: Definable<T>): Promise<Stored<T>[]> {
  return (await store.list(of.kind)).flatMap((record) => {
    const value = readable(of, record);
    return value === null ? [] : [{ value, revision: record.revision }];
  });
}

/** Reads, changes and writes until nobody else came between; a doubtful write is read and tried again. */
export async function changeRecord<T>(
  store: AlertStore,
  of: Definable<T>,
  { name, ifRevision }: Edit,
  change: (existing: T | null) => { value: T; text: string },
): Promise<Stored<T>> {
  const id = { kind: of.kind, name };
  let doubtful: { value: T; text: string } | undefined;
  for (let tries = 0; tries < TRIES; tries++) {
    const record = await store.get(id);
    // The revision is another by our own doing.
    if (record !== null && record.text === doubtful?.text)
      return { value: doubtful.value, revision: record.revision };
    checkRevision(of, name, record, ifRevision);
    if (record === null && (await store.list(of.kind)).length >= of.most)
      throw new PunctualError("full", `there are ${of.most} ${of.what}s, which is all there may be`);
    const { value, text } = change(record === null ? null : readable(of, record));
    if (record?.text === text) return { value, revision: record.revision };
    const outcome = await store.write(id, text, record?.revision ?? 0);
    if (outcome.kind === "stored") return { value, revision: outcome.revision };
    if (outcome.kind === "unknown") doubtful = { value, text };
  }
  throw changedByOthers(of, name);
}

/** A doubtful removal is read and tried again. @throws not_found, conflict */
export async function removeRecord<T>(
  store: AlertStore,
  of: Definable<T>,
  { name, ifRevision }: Edit,
): Promise<void> {
  const id = { kind: of.kind, name };
  let doubt: Error | undefined;
  for (let tries = 0; tries < TRIES; tries++) {
    const record = await store.get(id);
    if (record === null && doubt !== undefined) return;
    if (record === null) throw notFound(of, name);
    checkRevision(of, name, record, ifRevision);
    const outcome = await store.remove(id, record.revision);
    if (outcome.kind === "stored") return;
    if (outcome.kind === "lost") throw changedByOthers(of, name);
    doubt = outcome.error;
  }
  throw new PunctualError("unavailable", doubt?.message ?? "");
}

function readable<T>({ decode }: Definable<T>, { name, text }: AlertRecord): T | null {
  try {
    return decode(name, text);
  } catch {
    return null;
  }
}

function checkRevision<T>(
  { what }: Definable<T>,
  name: string,
  record: AlertRecord | null,
  expected: number | undefined,
): void {
  const revision = record?.revision ?? 0;
  if (expected === undefined || expected === revision) return;
  const is = revision === 0 ? "does not exist" : `is at revision ${revision}`;
  throw new PunctualError("conflict", `${what} ${name} ${is}, expected revision ${expected}`, {
    issues: [{ path: "ifRevision", message: `expected ${revision}, the current revision, got ${expected}` }],
  });
}

const notFound = <T>({ what }: Definable<T>, name: string) =>
  new PunctualError("not_found", `${what} ${name} does not exist`);
const changedByOthers = <T>({ what }: Definable<T>, name: string) =>
  new PunctualError("conflict", `${what} ${name} is being changed by others; try again`);
