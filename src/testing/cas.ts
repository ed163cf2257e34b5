/** Compare-and-swap on a key of a bucket of the memory server. */
import type { CasOutcome, StoredMessage } from "../core/ports.js";
import type { Fault } from "./faults.js";
import type { MemoryLink } from "./link.js";
import type { MemoryServer } from "./server.js";
import type { MemoryStream } from "./stream.js";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export interface KeyWrite {
  stream: MemoryStream;
  key: string;
  text: string;
  /** What the key's revision must still be; 0: it does not exist. */
  revision: number;
  headers?: Readonly<Record<string, string>>;
}

export function compareAndSwap(
  server: MemoryServer,
  link: MemoryLink,
  { stream, key, text, revision, headers = {} }: KeyWrite,
  fault: Fault,
): Promise<CasOutcome> {
  const message = { subject: key, headers, body: encoder.encode(text), expectedLast: revision };
  return link.request<CasOutcome>(
    () => {
      const answer = server.store(stream, message);
      if (answer.kind === "stored") return { kind: "stored", revision: answer.seq };
      if (answer.kind === "wrong last sequence") return { kind: "lost" };
      return { kind: "unknown", error: new Error("reason" in answer ? answer.reason : answer.kind) };
    },
    fault,
    (error) => ({ kind: "unknown", error }),
  );
}

export function textOf(message: StoredMessage): string {
  return decoder.decode(message.body);
}
