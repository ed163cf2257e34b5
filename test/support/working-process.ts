/**
 * A worker as a process of its own. Its handler says `began <runId> <attempt>` and does not end before it is aborted,
 * and then says why. On SIGTERM it drains with a deadline.
 */
// The compiled code, as users run it.
const dist = new URL("../../dist/", import.meta.url).href;
const { connect, untilStopped }: typeof import("../../src/index.js") = await import(`${dist}index.js`);

const [servers = "", namespace = "punctual", queue = "default", deadlineMs = "0"] = process.argv.slice(2);
const punctual = await connect({ servers, namespace, name: "working-process" });
const say = (text: string) => process.stdout.write(`${text}\n`);

const worker = await punctual.work(queue, {}, ({ runId, attempt, signal }) => {
  say(`began ${runId} ${attempt}`);
  return new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => {
      say(`aborted ${signal.reason.why}`);
      reject(signal.reason);
    });
  });
});
say("ready");
await untilStopped();
await worker.stop({ deadlineMs: Number(deadlineMs) });
await punctual.close();
say("closed");
