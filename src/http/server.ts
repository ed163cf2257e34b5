/** The HTTP server of a process: its metrics and its health. It has no secrets, and changes nothing. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { messageOf, PunctualError } from "../core/errors.js";
import type { Address } from "./address.js";

export interface Page {
  status: number;
  contentType: string;
  body: string;
}

export type Route = () => Page | Promise<Page>;

export const plain = (status: number, body: string): Page => ({
  status,
  contentType: "text/plain; charset=utf-8",
  body: `${body}\n`,
});

export class HttpServer {
  readonly #server: Server;
  readonly #routes: ReadonlyMap<string, Route>;

  constructor(routes: ReadonlyMap<string, Route>) {
    this.#routes = routes;
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  /** @throws unavailable when the address cannot be listened at */
  async listen({ host, port }: Address): Promise<this> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, host, resolve);
    }).catch((cause) => {
      throw new PunctualError("unavailable", `http: cannot listen at ${host}:${port} (${messageOf(cause)})`, {
        cause,
      });
    });
    return this;
  }

  get url(): string {
    const { address, family, port } = this.#server.address() as AddressInfo;
    return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const page = await this.#pageFor(request).catch((error) => plain(500, messageOf(error)));
    response.writeHead(page.status, { "content-type": page.contentType, "cache-control": "no-store" });
    response.end(request.method === "HEAD" ? undefined : page.body);
  }

  async #pageFor({ method, url = "/" }: IncomingMessage): Promise<Page> {
    const path = url.split("?")[0] as string;
    const route = this.#routes.get(path);
    if (route === undefined)
      return plain(404, `${path}: expected one of ${[...this.#routes.keys()].join(", ")}`);
    if (method !== "GET" && method !== "HEAD") return plain(405, `expected GET, got ${method}`);
    return await route();
  }
}
