import type { Command } from "commander";
import { shardsOf } from "../global-options.js";
import type { CliContext } from "../runtime.js";
import { Session } from "../session.js";

export function addOrchestrator(program: Command, context: CliContext): void {
  program
    .command("orchestrator")
    .description("fire what is due; start as many as you like, they share the work")
    .option(
      "--shards <n>",
      "parts the schedules are split into; fixed when the namespace is made (default: 16)",
    )
    .action(async (options: { shards?: string }, command: Command) => {
      const session = new Session(context, command);
      const shards = options.shards === undefined ? {} : { shards: shardsOf(options.shards) };
      await session.serve({ name: "punctual orchestrator", ...shards }, async (punctual, running) => {
        const orchestrator = await punctual.orchestrate();
        running.push(orchestrator);
        session.output.show({ orchestrator: orchestrator.id }, () =>
          session.output.line(`orchestrator ${orchestrator.id} runs; interrupt to stop`),
        );
      });
    });
}
