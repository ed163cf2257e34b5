/** An orchestrator of the demo: what `punctual orchestrator` is, with its name given. */
import { connect } from "../connect.js";
import { createLogger } from "../runtime/log.js";

const [servers = "", id = "orchestrator", namespace = "punctual"] = process.argv.slice(2);
const punctual = await connect({ servers, namespace, name: id, log: createLogger() });
const orchestrator = await punctual.orchestrate({ id });
process.stdout.write("ready\n");

process.once("SIGTERM", async () => {
  await orchestrator.stop();
  await punctual.close();
  process.exit(0);
});
