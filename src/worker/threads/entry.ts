/** What a thread of a worker runs: loads the handler's module, and calls the handler with a job as it would be here. */
import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { messageOf } from "../../core/errors.js";
import { RunLogs } from "../../runtime/run-log.js";
import { AbortReason } from "../attempt.js";
import type { Handler, JobContext } from "../context.js";
import { isRetryable } from "../errors.js";
import { readProgress } from "../progress.js";
import { resultOf } from "../result.js";
import type { AbortNotice, PlainJob, ThreadError, ThreadOutcome, ThreadTask, Told } from "./messages.js";

/** What goes to the program's log is for the worker to say. */
const logs = new RunLogs();

/** @returns why the module cannot be used; null: it can */
export async function load(module: string): Promise<string | null> {
  try {
    await handlerOf(module);
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

/** Never rejects. */
export async function perform({ module, job, port }: ThreadTask): Promise<ThreadOutcome> {
  const signal = signalOf(port);
  try {
    const handler = await handlerOf(module);
    const result = resultOf(await handler(contextOf(job, signal, port)));
    return { kind: "succeeded", json: result === undefined ? undefined : JSON.stringify(result) };
  } catch (error) {
    if (signal.aborted && error === signal.reason) return { kind: "aborted" };
    return { kind: "failed", error: plain(error) };
  } finally {
    port.close();
  }
}

async function handlerOf(module: string): Promise<Handler> {
  const { default: handler } = (await import(module)) as { default?: unknown };
  if (typeof handler === "function") return handler as Handler;
  throw new Error(`expected a function as its default export, got ${typeof handler}`);
}

function contextOf(job: PlainJob, signal: AbortSignal, port: MessagePort): JobContext {
  const tell = (told: Told) => port.postMessage(told);
  const { runId, attempt } = job;
  const log = logs.of({ runId, attempt }, (line) => tell({ line }));
  return { ...job, signal, log, progress: (value) => tell({ progress: readProgress(value) }) };
}

/** A signal for a handler that computes and never waits, too: looking at it hears what has come. */
function signalOf(port: MessagePort): AbortSignal {
  const controller = new AbortController();
  const { signal } = controller;
  const hear = ({ why, message }: AbortNotice) => controller.abort(new AbortReason(why, message));
  port.on("message", hear);
  const isAborted = () => Reflect.get(AbortSignal.prototype, "aborted", signal);
  const look = (): boolean => {
    const heard = isAborted() ? undefined : receiveMessageOnPort(port);
    if (heard !== undefined) hear(heard.message as AbortNotice);
    return isAborted();
  };
  return Object.defineProperties(signal, {
    aborted: { get: look },
    throwIfAborted: {
      value: () => {
        if (look()) throw signal.reason;
      },
    },
  });
}

function plain(error: unknown): ThreadError {
  const { name, stack } = error instanceof Error ? error : { name: "Error", stack: undefined };
  return { name, message: messageOf(error), stack, retryable: isRetryable(error) };
}
