/** A worker whose handler does nothing but say what it received, one JSON line each, or percentiles at the end. */
import type { Receipt } from "../../src/demo/audit.js";

// The compiled code, as users run it.
const dist = new URL("../../dist/", import.meta.url).href;
const { connect }: typeof import("../../src/connect.js") = await import(`${dist}connect.js`);
const { percentiles }: typeof import("../../src/demo/audit.js") = await import(`${dist}demo/audit.js`);

const [servers = "", namespace = "punctual", queue = "default", mode = "lines"] = process.argv.slice(2);
const punctual = await connect({ servers: servers.split(","), namespace, name: "receiving-worker" });
const lateness: { at: number; ms: number }[] = [];

const worker = await punctual.work(
  queue,
  { concurrency: 2_000 },
  async ({ scheduleId, fireTime, attempt }) => {
    const startedAt = performance.timeOrigin + performance.now();
    if (scheduleId === null || fireTime === null) return;
    if (mode === "percentiles") lateness.push({ at: startedAt, ms: startedAt - fireTime.getTime() });
    else {
      const receipt: Receipt = { scheduleId, fireTime: fireTime.getTime(), startedAt, attempt };
      process.stdout.write(`${JSON.stringify(receipt)}\n`);
    }
  },
);
process.stdout.write("ready\n");

process.once("SIGTERM", async () => {
  if (mode === "percentiles") {
    // The first seconds warm up the code.
    const from = (lateness[0]?.at ?? 0) + 3_000;
    const values = lateness.filter(({ at }) => at >= from).map(({ ms }) => ms);
    process.stdout.write(`${JSON.stringify({ count: values.length, ...percentiles(values) })}\n`);
  }
  await worker.stop();
  await punctual.close();
  process.exit(0);
});
