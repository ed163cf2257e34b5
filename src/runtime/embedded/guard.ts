/**
 * Ends servers together with this process. They run in process groups of their own, so that Ctrl-C at a terminal
 * reaches only this process, which then drains its work while the server is still there; the price is that
 * nothing ends them but this.
 *
 * A server outlives its parent only when that one is killed with SIGKILL; `DataFolder` deals with it later.
 */
const endings = new Set<() => void>();
const signals: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/** Has `end`, which must be synchronous, called when this process exits. Returns how to take it back. */
export function endWithProcess(end: () => void): () => void {
  if (endings.size === 0) listen();
  endings.add(end);
  return () => {
    if (endings.delete(end) && endings.size === 0) unlisten();
  };
}

function listen(): void {
  process.on("exit", endAll);
  // First in line, so that handlers registered with `once` are still counted.
  for (const signal of signals) process.prependListener(signal, onSignal);
}

function unlisten(): void {
  process.off("exit", endAll);
  for (const signal of signals) process.off(signal, onSignal);
}

function endAll(): void {
  for (const end of [...endings]) end();
}

/** A signal that nobody else handles kills the process without an `exit` event. Handled by others, it is theirs. */
function onSignal(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return;
  endAll();
  endings.clear();
  unlisten();
  process.kill(process.pid, signal);
}
