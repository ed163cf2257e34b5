/** What those share who call URLs. */
import { messageOf } from "../core/errors.js";
import type { Clock } from "../core/ports.js";

/** Runs `action` under a signal that aborts with `outer` and after `timeoutMs`. */
export async function withTimeout<T>(
  timeoutMs: number | undefined,
  outer: AbortSignal,
  clock: Clock,
  action: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (timeoutMs === undefined || timeoutMs === 0) return action(outer);
  const inner = new AbortController();
  const onAbort = () => inner.abort(outer.reason);
  if (outer.aborted) onAbort();
  outer.addEventListener("abort", onAbort, { once: true });
  const cancel = clock.after(timeoutMs, () => inner.abort(new Error(`no answer within ${timeoutMs} ms`)));
  try {
    return await action(inner.signal);
  } finally {
    cancel();
    outer.removeEventListener("abort", onAbort);
  }
}

/** The first bytes of the body; the rest is not waited for. */
export async function startOf(response: Response, bytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = response.body?.getReader();
  while (reader !== undefined && size < bytes) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    size += value.length;
  }
  if (size >= bytes) await reader?.cancel();
  return new TextDecoder().decode(Buffer.concat(chunks).subarray(0, bytes)).trim();
}

/** `fetch` says "fetch failed" and hides why in the cause. */
export function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause === undefined ? messageOf(error) : messageOf(cause) || messageOf(error);
}
