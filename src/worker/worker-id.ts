import { randomUUID } from "node:crypto";
import { hostname } from "node:os";

/** For people: the host, and something that tells its workers apart. */
export function newWorkerId(): string {
  const host = hostname()
    .replace(/[^A-Za-z0-9_-]/g, "-")
    .replace(/^[-_]+/, "");
  return `${host.slice(0, 40) || "worker"}-${randomUUID().slice(0, 8)}`;
}
