/** What people do with dead letters. */
import { batchSize } from "../core/backfill.js";
import { messageOf, PunctualError } from "../core/errors.js";
import { attemptsOf, type Letter } from "../core/letters.js";
import type { Clock } from "../core/ports.js";
import type { ApiParsed, ApiResponse } from "../protocol/api.js";
import type { LetterRow } from "../protocol/dead-api.js";
import { readLetter } from "../protocol/dead-letter.js";
import { limits } from "../protocol/limits.js";
import type { Logger } from "../runtime/log.js";
import { newestLetters, oldestLetters } from "./dead-letter-pages.js";
import { notFound, Requeuer, type RequeuerPorts } from "./requeuer.js";

export interface DeadServicePorts extends RequeuerPorts {
  clock: Clock;
  log: Logger;
  maxPayload: number;
}

/** Letters that are retried, or removed, at once. */
const TOGETHER = 16;

export class DeadService {
  readonly #ports: DeadServicePorts;
  readonly #requeuer: Requeuer;

  constructor(ports: DeadServicePorts) {
    this.#ports = ports;
    this.#requeuer = new Requeuer(ports);
  }

  async list({ filter, before, limit }: ApiParsed<"dead.list">): Promise<ApiResponse<"dead.list">> {
    const { found, next } = await newestLetters(this.#ports.letters, filter, { before, limit }, rowOf);
    return { letters: found, next };
  }

  async get({ id }: ApiParsed<"dead.get">): Promise<ApiResponse<"dead.get">> {
    const { letters, history, maxPayload } = this.#ports;
    const message = await letters.at(id);
    if (message === null) throw notFound(id);
    const letter = readLetter({ ...message, bodyBytes: message.body.length });
    const { stack, subject, headers, error } = letter;
    const failures = attemptsOf(await history.events(letter.runId), letter.diedAt);
    const told = failures.map((failure) => ({ ...failure, at: iso(failure.at) }));
    const view = { ...rowOf(letter), error, stack, subject, headers, failures: told };
    const room = maxPayload - Buffer.byteLength(JSON.stringify(view)) - limits.headerRoom;
    return { ...view, ...payloadOf(message.body, room) };
  }

  async retry({ id, author }: ApiParsed<"dead.retry">): Promise<ApiResponse<"dead.retry">> {
    const requeued = await this.#requeuer.requeue(id, author);
    this.#ports.log.info({ letter: id, runId: requeued.runId, author }, "a dead letter was retried");
    return { id, ...requeued };
  }

  /** Retries the newest letter of a run; null when there is none. */
  async retryRun(run: string, queue: string | undefined, author: string | undefined): Promise<string | null> {
    const page = { limit: 1 };
    const { found } = await newestLetters(this.#ports.letters, { run, queue }, page, ({ id }) => id);
    const [id] = found;
    return id === undefined ? null : (await this.#requeuer.requeue(id, author)).runId;
  }

  async discard({ id, author }: ApiParsed<"dead.discard">): Promise<ApiResponse<"dead.discard">> {
    if (!(await this.#ports.letters.remove(id))) throw notFound(id);
    this.#ports.log.info({ letter: id, author }, "a dead letter was discarded");
    return { id };
  }

  async retryMany(request: ApiParsed<"dead.retryMany">): Promise<ApiResponse<"dead.retryMany">> {
    const { filter, cursor, rate, author } = request;
    const startedAt = this.#ports.clock.monotonic();
    const limit = batchSize(rate, request.limit);
    const { found, next } = await oldestLetters(this.#ports.letters, filter, { cursor, limit });
    const answer: ApiResponse<"dead.retryMany"> = { retried: [], kept: [], next, waitMs: 0 };
    await inTurn(found, async ({ id }) => {
      try {
        answer.retried.push({ id, ...(await this.#requeuer.requeue(id, author)) });
      } catch (error) {
        if (!isGone(error)) answer.kept.push({ id, message: messageOf(error) });
      }
    });
    const dueMs = (found.length * rate.periodMs) / rate.count;
    answer.waitMs = Math.max(0, Math.ceil(dueMs - (this.#ports.clock.monotonic() - startedAt)));
    const [retried, kept] = [answer.retried.length, answer.kept.length];
    if (found.length > 0) this.#ports.log.info({ retried, kept, author }, "dead letters were retried");
    return answer;
  }

  async discardMany(request: ApiParsed<"dead.discardMany">): Promise<ApiResponse<"dead.discardMany">> {
    const { letters, log } = this.#ports;
    const { filter, cursor, limit, author } = request;
    const { found, next } = await oldestLetters(letters, filter, { cursor, limit });
    let discarded = 0;
    await inTurn(found, async ({ id }) => {
      if (await letters.remove(id)) discarded++;
    });
    if (discarded > 0) log.info({ discarded, author }, "dead letters were discarded");
    return { discarded, next };
  }
}

/** Somebody else retried or discarded it meanwhile. */
const isGone = (error: unknown): boolean => error instanceof PunctualError && error.code === "not_found";

async function inTurn(letters: readonly Letter[], act: (letter: Letter) => Promise<void>): Promise<void> {
  for (let from = 0; from < letters.length; from += TOGETHER)
    await Promise.all(letters.slice(from, from + TOGETHER).map(act));
}

function rowOf(letter: Letter): LetterRow {
  const { id, queue, runId, scheduleId, reason, attempts, error, diedAt, bodyBytes } = letter;
  const short =
    error !== null && error.length > limits.deadListedError
      ? `${error.slice(0, limits.deadListedError)}…`
      : error;
  return { id, queue, runId, scheduleId, reason, attempts, error: short, diedAt: iso(diedAt), bodyBytes };
}

/** @param room in the answer, in bytes */
function payloadOf(body: Uint8Array, room: number): Pick<ApiResponse<"dead.get">, "encoding" | "payload"> {
  const told = readBody(body);
  const isTooLarge = Buffer.byteLength(JSON.stringify(told.payload)) > room;
  return isTooLarge ? { encoding: "none", payload: null } : told;
}

function readBody(body: Uint8Array): { encoding: "json" | "base64"; payload: unknown } {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(body);
    return { encoding: "json", payload: JSON.parse(text) as unknown };
  } catch {
    return { encoding: "base64", payload: Buffer.from(body).toString("base64") };
  }
}

const iso = (instant: number): string => new Date(instant).toISOString();
