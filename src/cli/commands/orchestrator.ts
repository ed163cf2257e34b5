import type { Command } from "commander";
import { type AlertFlag, addAlertFlag, alertsOption, namingAlerts } from "../alert-flags.js";
import { shardsOf } from "../global-options.js";
import { addHttpFlag, type HttpFlag, httpOption, namingHttp, showUrls } from "../http-flag.js";
import type { CliContext } from "../runtime.js";
import { Session } from "../session.js";

export function addOrchestrator(program: Command, context: CliContext): void {
  addAlertFlag(addHttpFlag(program.command("orchestrator")))
    .description("fire what is due; start as many as you like, they share the work")
    .option(
      "--shards <n>",
      "parts the schedules are split into; fixed when the namespace is made (default: 16)",
    )
    .action(async (options: { shards?: string } & HttpFlag & AlertFlag, command: Command) => {
      const session = new Session(context, command);
      const alerts = alertsOption(options, context);
      const shards = options.shards === undefined ? {} : { shards: shardsOf(options.shards) };
      await session.serve({ name: "punctual orchestrator", ...shards }, async (punctual, running) => {
        const orchestrator = await namingHttp(() =>
          namingAlerts(alerts, () => punctual.orchestrate({ ...httpOption(options, context), ...alerts })),
        );
        running.push(orchestrator);
        showUrls(session, punctual);
        session.output.show({ orchestrator: orchestrator.id }, () =>
          session.output.line(`orchestrator ${orchestrator.id} runs; interrupt to stop`),
        );
      });
    });
}
