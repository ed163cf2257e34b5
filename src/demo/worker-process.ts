/** A worker of the demo: does what `punctual worker exec --allow-shell` does, and says so on its standard output. */
import { connect } from "../connect.js";
import { execHandler } from "../worker/exec.js";
import type { Receipt } from "./audit.js";

const [servers = "", queue = "exec"] = process.argv.slice(2);
const punctual = await connect({ servers, name: "demo-worker" });
const exec = execHandler({ allow: [], allowShell: true });

const worker = await punctual.work(queue, { concurrency: 16 }, async (job) => {
  const startedAt = performance.timeOrigin + performance.now();
  const { scheduleId, fireTime, attempt } = job;
  if (scheduleId !== null && fireTime !== null) {
    const receipt: Receipt = { scheduleId, fireTime: fireTime.getTime(), startedAt, attempt };
    process.stdout.write(`${JSON.stringify(receipt)}\n`);
  }
  return exec(job);
});
process.stdout.write("ready\n");

process.once("SIGTERM", async () => {
  await worker.stop();
  await punctual.close();
  process.exit(0);
});
