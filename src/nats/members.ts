/** Who is alive. */
import type { KV } from "@nats-io/kv";
import { errors, type NatsConnection } from "@nats-io/transport-node";
import type { Member, Membership, Subscription } from "../core/ports.js";
import type { Names } from "../protocol/names.js";
import { decodeMember } from "../protocol/stored.js";

const PROBE_TIMEOUT_MS = 1_000;

export class NatsMembership implements Membership {
  readonly #connection: NatsConnection;
  readonly #bucket: KV;
  readonly #names: Names;

  constructor(connection: NatsConnection, bucket: KV, names: Names) {
    this.#connection = connection;
    this.#bucket = bucket;
    this.#names = names;
  }

  async announce(member: Member): Promise<void> {
    await this.#bucket.put(this.#names.memberKey(member.role, member.id), JSON.stringify(member));
  }

  async leave(member: Member): Promise<void> {
    await this.#bucket.delete(this.#names.memberKey(member.role, member.id));
  }

  async list(): Promise<Member[]> {
    const keys: string[] = [];
    for await (const key of await this.#bucket.keys()) keys.push(key);
    const entries = await Promise.all(keys.map((key) => this.#bucket.get(key)));
    const members = entries.map((entry) =>
      entry?.operation === "PUT" ? decodeMember(entry.string()) : null,
    );
    return members.filter((member) => member !== null);
  }

  async watch(onChange: (key: string, member: Member | null) => void): Promise<Subscription> {
    const watch = await this.#bucket.watch();
    void (async () => {
      for await (const entry of watch) {
        const member = entry.operation === "PUT" ? decodeMember(entry.string()) : null;
        if (member !== null || entry.operation !== "PUT") onChange(entry.key, member);
      }
    })();
    return { stop: async () => watch.stop() };
  }

  answerProbes(memberId: string): Subscription {
    const subscription = this.#connection.subscribe(this.#names.alive(memberId), {
      callback: (error, message) => {
        if (error === null) message.respond();
      },
    });
    return { stop: async () => subscription.unsubscribe() };
  }

  async probe(memberId: string): Promise<"alive" | "gone" | "unknown"> {
    try {
      await this.#connection.request(this.#names.alive(memberId), "", { timeout: PROBE_TIMEOUT_MS });
      return "alive";
    } catch (error) {
      return isNoResponders(error) ? "gone" : "unknown";
    }
  }
}

/** The client wraps the answer "no responders" in the error of the request. */
export function isNoResponders(error: unknown): boolean {
  if (error instanceof errors.NoRespondersError) return true;
  return error instanceof Error && error.cause instanceof errors.NoRespondersError;
}
