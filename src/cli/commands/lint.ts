import type { Command } from "commander";
import type { Client } from "../../client/client.js";
import { anyCalendar } from "../../core/calendar.js";
import { collisionsOf, type Fires } from "../../core/time/collisions.js";
import type { Finding } from "../../core/time/finding.js";
import { compileSpec } from "../../core/time/fire-times.js";
import { lintSpec } from "../../core/time/lint.js";
import { systemClock } from "../../runtime/clock.js";
import { addLineFlags, readLine } from "../line-flags.js";
import { specOfInput } from "../lint-text.js";
import type { CliContext } from "../runtime.js";
import { inputOf } from "../schedule-text.js";
import { Session } from "../session.js";

/** The exit status when there are findings. */
const FOUND = 1;

type Told = Finding & { id?: string };

/** @param done takes the exit status */
export function addLint(program: Command, context: CliContext, done: (exitCode: number) => void): void {
  const lint = program
    .command("lint [line]")
    .description(
      "tell what a cron line probably does not mean; without a line, what stored schedules do not",
    );
  addLineFlags(lint).action(
    async (line: string | undefined, options: Record<string, unknown>, command: Command) => {
      const session = new Session(context, command);
      const now = systemClock.now();
      const alone = line === undefined && options.every === undefined;
      const findings: Told[] = alone
        ? await session.with(({ client }) => lintStored(client, now))
        : await lintLine(line, options, now);
      show(session, findings);
      if (findings.length > 0) done(FOUND);
    },
  );
}

async function lintLine(
  line: string | undefined,
  options: Record<string, unknown>,
  now: number,
): Promise<Finding[]> {
  const { spec, id } = await readLine(line, options);
  return lintSpec(spec, id, compileSpec(spec, id, anyCalendar), now);
}

async function lintStored(client: Client, now: number): Promise<Told[]> {
  const findings: Told[] = [];
  const active: Fires[] = [];
  for await (const view of client.schedules.list({ pageSize: 1_000 })) {
    const { id } = view;
    const spec = specOfInput(inputOf(view));
    if (spec === null) continue;
    const times = compileSpec(spec, id, anyCalendar);
    for (const finding of lintSpec(spec, id, times, now)) findings.push({ id, ...finding });
    if (view.nextFireTime !== null) active.push({ id, times });
  }
  return [...findings, ...collisionsOf(active, now)];
}

function show({ output }: Session, findings: readonly Told[]): void {
  output.show(findings, () => {
    if (findings.length === 0) return output.note("nothing found");
    for (const { id, code, message } of findings)
      output.line(`${id === undefined ? "" : `${id}: `}${code}: ${message}`);
  });
}
