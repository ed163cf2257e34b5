import type { Clock } from "../core/ports.js";

/** The only reader of the time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, Math.min(Math.ceil(delayMs), 2 ** 31 - 1));
    return () => clearTimeout(timer);
  },
};

/** Calls back when the event loop comes round: after all that is ready by now. */
export const atEndOfTurn = (callback: () => void): void => void setImmediate(callback);
