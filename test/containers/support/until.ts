import { setTimeout as pause } from "node:timers/promises";

/** Asks again and again until there is an answer, and throws when there is none in time. */
export async function until<T>(
  what: string,
  timeoutMs: number,
  attempt: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const result = await attempt();
    if (result !== undefined) return result;
    if (performance.now() > end) throw new Error(`no ${what} within ${timeoutMs} ms`);
    await pause(100);
  }
}
