import type { Command } from "commander";
import { PunctualError } from "../../core/errors.js";
import type { CliContext } from "../runtime.js";
import { Session } from "../session.js";

export function addHealth(program: Command, context: CliContext): void {
  program
    .command("health")
    .description("exit 0 when the server answers and JetStream is on")
    .action(async (_options: unknown, command: Command) => {
      const session = new Session(context, command);
      const health = await session.with((punctual) => punctual.health());
      if (!health.jetstream)
        throw new PunctualError(
          "unavailable",
          `${health.server}: nats-server ${health.version} answers, but JetStream is off; start it with -js`,
        );
      session.output.show(health, () =>
        session.output.line(`${health.server}: nats-server ${health.version}, JetStream is on`),
      );
    });
}
