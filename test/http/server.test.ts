/** What a process shows of itself, asked as Prometheus and Kubernetes ask. */
import { describe, expect, it, onTestFinished } from "vitest";
import { Observatory } from "../../src/http/observatory.js";

async function served() {
  const observatory = new Observatory("1.2.3");
  onTestFinished(() => observatory.stop());
  const url = await observatory.serve(0);
  const get = async (path: string, method = "GET") => {
    const response = await fetch(url + path, { method });
    return {
      status: response.status,
      type: response.headers.get("content-type"),
      body: await response.text(),
    };
  };
  return { observatory, url, get };
}

const part = (problem: string | null = null) => ({ problem, isOver: false });

describe("the HTTP server", () => {
  it("gives the metrics in the format that Prometheus reads", async () => {
    const { get } = await served();
    const page = await get("/metrics");
    expect(page).toMatchObject({ status: 200, type: "text/plain; version=0.0.4; charset=utf-8" });
    expect(page.body).toContain("# TYPE punctual_fires_total counter");
  });

  it("is alive as long as it answers", async () => {
    const { get } = await served();
    expect(await get("/livez")).toMatchObject({ status: 200, body: "ok\n" });
  });

  it("is not ready before anything runs", async () => {
    const { get } = await served();
    expect(await get("/readyz")).toMatchObject({ status: 503, body: "not ready\n" });
  });

  it("is ready when every part is, and names the part that is not", async () => {
    const { get, observatory } = await served();
    const worker = part("has no connection");
    observatory.health.add("orchestrator", part());
    observatory.health.add("worker of mail", worker);
    const not = "[+]orchestrator ok\n[-]worker of mail: has no connection\nnot ready\n";
    expect(await get("/readyz")).toMatchObject({ status: 503, body: not });
    worker.problem = null;
    const ready = "[+]orchestrator ok\n[+]worker of mail ok\nready\n";
    expect(await get("/readyz")).toMatchObject({ status: 200, body: ready });
  });

  it("waits for no part that has stopped", async () => {
    const { get, observatory } = await served();
    const stopped = part("is stopping");
    observatory.health.add("worker of mail", stopped);
    observatory.health.add("worker of web", part());
    stopped.isOver = true;
    expect(await get("/readyz")).toMatchObject({ status: 200, body: "[+]worker of web ok\nready\n" });
  });

  it("says what there is when asked for something else", async () => {
    const { get } = await served();
    const body = "/admin: expected one of /metrics, /livez, /readyz\n";
    expect(await get("/admin?x=1")).toMatchObject({ status: 404, body });
    expect(await get("/metrics", "POST")).toMatchObject({ status: 405, body: "expected GET, got POST\n" });
    expect(await get("/livez", "HEAD")).toMatchObject({ status: 200, body: "" });
  });

  it("is shared by all that name the same address", async () => {
    const { observatory, url } = await served();
    const { port } = new URL(url);
    // What was opened at any port is known by that name only: at the number itself somebody listens already.
    await expect(observatory.serve(Number(port))).rejects.toMatchObject({ code: "unavailable" });
    expect(await observatory.serve(0)).toBe(url);
  });

  it("says so when the address is taken or wrong", async () => {
    const { url } = await served();
    const other = new Observatory("1.2.3");
    onTestFinished(() => other.stop());
    const { port } = new URL(url);
    await expect(other.serve(`127.0.0.1:${port}`)).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(/^http: cannot listen at 127\.0\.0\.1:\d+ \(.*EADDRINUSE/),
    });
    await expect(other.serve("nowhere")).rejects.toMatchObject({ code: "invalid" });
  });
});
