import type { Command } from "commander";
import { invalid, PunctualError } from "../../core/errors.js";
import { wholeNumber } from "../global-options.js";
import { addHttpFlag, type HttpFlag, httpOption, namingHttp, showUrls } from "../http-flag.js";
import type { CliContext, ConnectOptions, DevServer, HttpOption } from "../runtime.js";
import { Session } from "../session.js";

const DEFAULT_PORT = "4222";

interface Options extends HttpFlag {
  dataDir: string;
  port: string;
}

export function addDev(program: Command, context: CliContext): void {
  addHttpFlag(program.command("dev"))
    .description("everything on this machine: a server, an orchestrator and an http worker")
    .option("--data-dir <folder>", "where the server keeps its data", "./.punctual")
    .option("--port <n>", "of the server; 0: any that is free", DEFAULT_PORT)
    .action(async (options: Options, command: Command) => {
      const session = new Session(context, command);
      const port = wholeNumber("--port", options.port, 0, 65_535);
      const http = httpOption(options, context);
      if (session.connectOptions.servers !== undefined) {
        refuseServerFlags(command);
        return run(session, null, http);
      }
      const server = await context.parts.startServer({
        dataDir: options.dataDir,
        port,
        onProgress: (text) => session.output.note(text),
      });
      try {
        await run(session, server, http);
      } finally {
        await server.stop();
      }
    });
}

/** They would be passed over: the server is another one's. */
function refuseServerFlags(command: Command): void {
  for (const [name, flag] of [
    ["port", "--port"],
    ["dataDir", "--data-dir"],
  ] as const)
    if (command.getOptionValueSource(name) === "cli")
      throw invalid(flag, "goes only with a server of its own, got also --server or PUNCTUAL_SERVER");
}

async function run(session: Session, server: DevServer | null, http: HttpOption): Promise<void> {
  const servers: ConnectOptions = server === null ? {} : { servers: server.url };
  const failed = server?.exited.then(() => {
    throw new PunctualError("unavailable", "the embedded server has ended; its log is in the data folder");
  });
  failed?.catch(() => {}); // also when it ends in good order, after everything else
  await session.serve(
    { name: "punctual dev", ...servers },
    async (punctual, running) => {
      const orchestrator = await namingHttp(() => punctual.orchestrate(http));
      running.push(orchestrator);
      const handler = await session.context.parts.httpHandler({});
      running.push(await punctual.work("http", { concurrency: 10 }, handler));
      showUrls(session, punctual);
      const url = server?.url ?? [session.connectOptions.servers].flat().join(",");
      session.output.show({ server: url, orchestrator: orchestrator.id }, () => showWhatNext(session, url));
    },
    failed,
  );
}

function showWhatNext({ output, connectOptions }: Session, url: string): void {
  const server = url === `nats://127.0.0.1:${DEFAULT_PORT}` ? "" : ` --server ${url}`;
  const namespace = connectOptions.namespace === undefined ? "" : ` --namespace ${connectOptions.namespace}`;
  const punctual = `punctual${server}${namespace}`;
  output.line(`Punctual runs on ${url}; interrupt to stop. In another terminal:`);
  output.line(
    `  ${punctual} schedule put hello --every 5s --queue http --payload '{"url":"http://127.0.0.1:8080/"}'`,
  );
  output.line(`  ${punctual} schedule list`);
}
