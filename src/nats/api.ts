/** The API on the wire: both ends. The serving end speaks the protocol of NATS micro, so that it is found. */
import { errors, headers, type Msg, type NatsConnection } from "@nats-io/transport-node";
import { type ErrorCode, messageOf, PunctualError } from "../core/errors.js";
import type { ApiCaller, ApiServer, Subscription } from "../core/ports.js";
import { apiErrorBody, apiServiceName, endpoints, serviceErrorHeaders, statusOf } from "../protocol/api.js";
import type { Names } from "../protocol/names.js";
import { parseJson } from "../protocol/parse.js";
import { isNoResponders } from "./members.js";
import { rootOf } from "./refusal.js";

const QUEUE_GROUP = "api";

export class NatsApiCaller implements ApiCaller {
  readonly #connection: NatsConnection;
  readonly #names: Names;
  readonly #timeoutMs: number;

  constructor(connection: NatsConnection, names: Names, timeoutMs = 10_000) {
    this.#connection = connection;
    this.#names = names;
    this.#timeoutMs = timeoutMs;
  }

  async call(endpoint: string, request: unknown): Promise<unknown> {
    const message = await this.#request(endpoint, JSON.stringify(request));
    const body = parseJson(message.string(), `the answer of ${endpoint}`);
    if (!message.headers?.has(serviceErrorHeaders.code)) return body;
    const { code, message: text, issues } = apiErrorBody.parse(body);
    throw new PunctualError(code in statusOf ? (code as ErrorCode) : "internal", text, { issues });
  }

  async #request(endpoint: string, body: string): Promise<Msg> {
    try {
      return await this.#connection.request(this.#names.api(endpoint), body, { timeout: this.#timeoutMs });
    } catch (cause) {
      if (isNoResponders(cause)) {
        const text = `no orchestrator answers in namespace ${this.#names.namespace}; start one with: punctual orchestrator`;
        throw new PunctualError("unavailable", text, { cause });
      }
      if (cause instanceof errors.InvalidArgumentError) {
        throw new PunctualError("invalid", `the request is too large: ${messageOf(cause)}`, { cause });
      }
      if (rootOf(cause) instanceof errors.PermissionViolationError) {
        const text = `${endpoint}: missing permission (${messageOf(rootOf(cause))}); grant it to this user`;
        throw new PunctualError("denied", text, { cause });
      }
      const code = cause instanceof errors.TimeoutError ? "timeout" : "unavailable";
      throw new PunctualError(code, `${endpoint}: ${messageOf(cause)}`, { cause });
    }
  }
}

export class NatsApiServer implements ApiServer {
  readonly #connection: NatsConnection;
  readonly #names: Names;
  readonly #version: string;

  constructor(connection: NatsConnection, names: Names, version: string) {
    this.#connection = connection;
    this.#names = names;
    this.#version = version;
  }

  serve(id: string, handle: (endpoint: string, body: string) => Promise<unknown>): Subscription {
    const prefix = this.#names.api("");
    const subscription = this.#connection.subscribe(this.#names.apiSubjects, {
      queue: QUEUE_GROUP,
      callback: (error, message) => {
        // Told so when the server does not let us listen: then there is no message.
        if (error !== null) return;
        void answer(message, () => handle(message.subject.slice(prefix.length), message.string()));
      },
    });
    const discovery = ["PING", "INFO", "STATS"].flatMap((verb) => this.#discoverable(verb, id));
    const all = [subscription, ...discovery];
    return {
      stop: async () => {
        for (const one of all) one.unsubscribe();
      },
    };
  }

  /** `$SRV.<verb>`, `$SRV.<verb>.<name>` and `$SRV.<verb>.<name>.<id>`, as `nats micro` asks. */
  #discoverable(verb: string, id: string) {
    const subjects = [
      `$SRV.${verb}`,
      `$SRV.${verb}.${apiServiceName}`,
      `$SRV.${verb}.${apiServiceName}.${id}`,
    ];
    return subjects.map((subject) =>
      this.#connection.subscribe(subject, {
        callback: (error, message) => {
          if (error === null) message.respond(JSON.stringify(this.#description(verb, id)));
        },
      }),
    );
  }

  #description(verb: string, id: string) {
    const own = {
      name: apiServiceName,
      id,
      version: this.#version,
      metadata: { namespace: this.#names.namespace },
    };
    const list = Object.keys(endpoints).map((name) => ({
      name: name.replace(".", "-"),
      subject: this.#names.api(name),
      queue_group: QUEUE_GROUP,
    }));
    const type = `io.nats.micro.v1.${verb.toLowerCase()}_response`;
    if (verb === "PING") return { ...own, type };
    return { ...own, type, description: "Punctual, a distributed job scheduler", endpoints: list };
  }
}

async function answer(message: Msg, handle: () => Promise<unknown>): Promise<void> {
  try {
    message.respond(JSON.stringify(await handle()));
  } catch (error) {
    const { code, message: text, issues } = asPunctualError(error);
    const head = headers();
    head.set(serviceErrorHeaders.code, String(statusOf[code]));
    head.set(serviceErrorHeaders.text, text.replace(/\s+/g, " ").slice(0, 512));
    message.respond(JSON.stringify({ code, message: text, issues }), { headers: head });
  }
}

function asPunctualError(error: unknown): PunctualError {
  return error instanceof PunctualError
    ? error
    : new PunctualError("internal", messageOf(error), { cause: error });
}
