/**
 * The manager of JetStream, with reads that are asked again when nobody answers.
 *
 * What is asked while a stream has no leader is dropped, and stays unanswered when there is one again. An election
 * takes some seconds: a long wait for an answer would only add to it, a short one alone would make the read fail.
 */
import {
  type ConsumerAPI,
  type JetStreamManager,
  jetstreamManager,
  type StreamAPI,
} from "@nats-io/jetstream";
import { errors, type NatsConnection } from "@nats-io/transport-node";
import { NoAnswer } from "./mailbox.js";
import { setUpFailure } from "./refusal.js";

const CHANGE_TIMEOUT_MS = 10_000;
export const READ_TIMEOUT_MS = 1_500;
/** Together as long as a change may take. */
const READ_TRIES = 7;

export async function managerOf(connection: NatsConnection): Promise<JetStreamManager> {
  try {
    const changing = await jetstreamManager(connection, { timeout: CHANGE_TIMEOUT_MS, checkAPI: false });
    const reading = await jetstreamManager(connection, { timeout: READ_TIMEOUT_MS, checkAPI: false });
    return combine(changing, reading);
  } catch (error) {
    throw setUpFailure("JetStream", error);
  }
}

function combine(changing: JetStreamManager, reading: JetStreamManager): JetStreamManager {
  const streams: StreamAPI = Object.create(changing.streams);
  streams.info = (...of) => repeated(() => reading.streams.info(...of));
  streams.getMessage = (...of) => repeated(() => reading.streams.getMessage(...of));
  const consumers: ConsumerAPI = Object.create(changing.consumers);
  consumers.info = (...of) => repeated(() => reading.consumers.info(...of));
  const manager: JetStreamManager = Object.create(changing);
  const getAccountInfo = () => repeated(() => reading.getAccountInfo());
  return Object.assign(manager, { streams, consumers, getAccountInfo });
}

/** Asks again what nobody answered. */
export async function repeated<T>(read: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await read();
    } catch (error) {
      if (tries === READ_TRIES || !isUnanswered(error)) throw error;
    }
  }
}

function isUnanswered(error: unknown): boolean {
  if (error instanceof errors.TimeoutError || error instanceof NoAnswer) return true;
  return error instanceof Error && error.cause instanceof errors.TimeoutError;
}
