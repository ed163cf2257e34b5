/** A queue with a gate in memory, by a clock that is turned by hand, and whoever comes to it. */
import type { GateLimits } from "../../src/core/gate.js";
import type { Delivery } from "../../src/core/ports.js";
import { Gatekeeper } from "../../src/orchestrator/gatekeeper.js";
import { headers as h } from "../../src/protocol/headers.js";
import { silentLogger } from "../../src/runtime/log.js";
import { ManualClock, MemoryServer, openMemoryPorts } from "../../src/testing/index.js";

export const QUEUE = "mail";

export class Yard {
  readonly clock = new ManualClock();
  readonly server = new MemoryServer({ clock: this.clock, answerTimeoutMs: 1_000 });
  readonly names = this.server.names;
  readonly ports = openMemoryPorts(this.server);
  readonly done: string[] = [];
  readonly #keepers: Gatekeeper[] = [];

  async arrive(id: string, key: string | null = null, headers: Record<string, string> = {}): Promise<number> {
    const subject = this.names.gate(QUEUE, key, id);
    const message = {
      subject,
      msgId: `${id}/1`,
      headers: { [h.runId]: id, ...headers },
      body: new Uint8Array(3),
    };
    const outcome = await this.ports.work.publish(message);
    return outcome.kind === "stored" ? outcome.seq : 0;
  }

  /** A keeper over a connection of its own; `isOurs` may end. */
  keep(limits: GateLimits) {
    const ports = openMemoryPorts(this.server);
    const keeper = { isOurs: true, ports, limit: (limits: GateLimits) => gatekeeper.limit(limits) };
    const isOurs = () => keeper.isOurs;
    const all = { ...ports, clock: this.clock, log: silentLogger };
    const gatekeeper = new Gatekeeper(all, { queue: QUEUE, limits, isOurs }).start();
    this.#keepers.push(gatekeeper);
    return keeper;
  }

  async close(): Promise<void> {
    const stopped = Promise.all(this.#keepers.map((keeper) => keeper.stop()));
    await this.clock.pass(2_000);
    await stopped;
  }

  /** A worker that is done at once, or when `act` resolves; a number puts the job back for so many milliseconds. */
  async work(act?: (id: string, attempt: number) => Promise<unknown>): Promise<void> {
    await this.ports.queues.ensure(QUEUE);
    const onDelivery = async (delivery: Delivery) => {
      const id = delivery.headers[h.runId] ?? "";
      const delay = await act?.(id, delivery.attempt);
      if (typeof delay === "number") return delivery.nak(delay);
      this.done.push(id);
      delivery.ack();
    };
    await this.ports.source.consume(QUEUE, { concurrency: 10, onDelivery });
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.clock.after(ms, resolve));
  }

  /** Ids in WORK, by whether they are at the gate. */
  get subjects(): string[] {
    return [...this.server.work.messages()].map(({ subject }) => subject);
  }

  get events(): string[] {
    return [...this.server.runs.subjects()].filter((subject) => subject.startsWith("punctual.run."));
  }
}
