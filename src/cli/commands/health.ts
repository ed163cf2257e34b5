import type { Command } from "commander";
import type { CliContext } from "../runtime.js";
import { Session } from "../session.js";

export function addHealth(program: Command, context: CliContext): void {
  program
    .command("health")
    .description("exit 0 when the server answers and JetStream is on")
    .action(async (_options: unknown, command: Command) => {
      const session = new Session(context, command);
      const health = await context.parts.checkHealth(session.connectOptions);
      session.output.show(health, () =>
        session.output.line(`${health.server}: nats-server ${health.version}, JetStream is on`),
      );
    });
}
