/** All that is measured in a process, and the addresses at which it can be looked at. */
import { parseAddress } from "./address.js";
import { Health } from "./health.js";
import { Metrics } from "./metrics.js";
import { HttpServer, type Page, plain, type Route } from "./server.js";

/** A port of this machine alone, or `host:port`, as in `0.0.0.0:9464`. Port 0: any that is free. */
export type HttpAddress = number | string;

export class Observatory {
  readonly metrics: Metrics;
  readonly health = new Health();
  /** By address. */
  readonly #open = new Map<string, Promise<HttpServer>>();

  constructor(version: string) {
    this.metrics = new Metrics(version);
  }

  /**
   * Listens until `stop`; an address that is listened at already is shared.
   *
   * @returns its URL
   * @throws invalid, unavailable
   */
  async serve(at: HttpAddress): Promise<string> {
    const address = parseAddress(at);
    const key = `${address.host}:${address.port}`;
    const opening = this.#open.get(key) ?? new HttpServer(this.#routes()).listen(address);
    this.#open.set(key, opening);
    try {
      return (await opening).url;
    } catch (error) {
      this.#open.delete(key);
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.metrics.stop();
    await Promise.all([...this.#open.values()].map(async (server) => (await server).stop()));
  }

  #routes(): Map<string, Route> {
    return new Map<string, Route>([
      ["/metrics", () => this.#metricsPage()],
      // Whoever reads the answer knows that the event loop turns.
      ["/livez", () => plain(200, "ok")],
      ["/readyz", () => this.#readyPage()],
    ]);
  }

  async #metricsPage(): Promise<Page> {
    const body = await this.metrics.scrape();
    return { status: 200, contentType: this.metrics.contentType, body };
  }

  #readyPage(): Page {
    const { isReady, text } = this.health.ready;
    return plain(isReady ? 200 : 503, text);
  }
}
