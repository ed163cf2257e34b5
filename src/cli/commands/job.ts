import type { Command } from "commander";
import type { CliContext } from "../runtime.js";
import { Session } from "../session.js";

interface When {
  at?: string;
  delay?: string;
}

/** Jobs that wait for their time. */
export function addJob(program: Command, context: CliContext): void {
  const job = program.command("job").description("jobs that wait for their time, by what `enqueue` answered");
  job
    .command("cancel <timer>")
    .description("a job that waits for its time is never queued")
    .action(async (timer: string, _: unknown, command: Command) => {
      const session = new Session(context, command);
      await session.with(({ client }) => client.cancel(timer));
      session.output.show({ timer, cancelled: true }, () => session.output.line(`${timer} cancelled`));
    });
  job
    .command("reschedule <timer>")
    .description("a job that waits for its time waits for another one")
    .option("--at <time>", "RFC 3339, as 2027-01-01T00:00:00Z")
    .option("--delay <duration>", "from now, as 10m")
    .action(async (timer: string, when: When, command: Command) => {
      const session = new Session(context, command);
      const moved = await session.with(({ client }) => client.reschedule(timer, when as { at: string }));
      session.output.show(moved, () => session.output.line(`${moved.timer} waits`));
    });
}
