/**
 * The time by the server's clock: what it stored is held against it, whatever our own clock says. It is asked for now and
 * then; in between, time passes here as it does there, also when our clock is set.
 */
import type { ServerFigures } from "../core/figures.js";
import type { Instant } from "../core/instant.js";
import type { Clock } from "../core/ports.js";

export interface ServerTimePorts {
  figures: Pick<ServerFigures, "clockOffset">;
  clock: Clock;
}

const ASK_EVERY_MS = 60_000;

export class ServerTime {
  readonly #ports: ServerTimePorts;
  /** It was that time there when this much had passed here. */
  #known: { at: Instant; monotonic: number } | undefined;

  constructor(ports: ServerTimePorts) {
    this.#ports = ports;
  }

  /** @throws when the server does not say, and never did */
  async now(): Promise<Instant> {
    const { clock } = this.#ports;
    const known = this.#known;
    if (known === undefined) await this.#ask();
    // Without an answer, what is known is good enough.
    else if (clock.monotonic() - known.monotonic > ASK_EVERY_MS) await this.#ask().catch(() => {});
    const { at, monotonic } = this.#known as NonNullable<typeof known>;
    return Math.floor(at + clock.monotonic() - monotonic);
  }

  async #ask(): Promise<void> {
    const { clock, figures } = this.#ports;
    const offset = await figures.clockOffset();
    this.#known = { at: clock.now() + offset, monotonic: clock.monotonic() };
  }
}
