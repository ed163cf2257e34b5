import type { Command } from "commander";
import type { Verification } from "../../client/schedules.js";
import { namingFlags } from "../flags.js";
import { utcTime } from "../output.js";
import type { CliContext } from "../runtime.js";
import { Session } from "../session.js";
import { instantOf } from "../time-flag.js";

/** The exit status when something is amiss, or cannot be known. */
const NOT_PROVEN = 1;

/** @param done takes the exit status */
export function addVerify(program: Command, context: CliContext, done: (exitCode: number) => void): void {
  program
    .command("verify")
    .description("prove that every slot of a range ended once: fired, skipped, missed or expired")
    .requiredOption("--from <time>", "the first instant, as 2026-12-24T18:00:00Z")
    .requiredOption("--to <time>", "the last one; what is to come is left out")
    .option("--schedule <id>", "only this schedule")
    .action(async (options: { from: string; to: string; schedule?: string }, command: Command) => {
      const session = new Session(context, command);
      const from = instantOf("--from", options.from);
      const to = instantOf("--to", options.to);
      const names = { from: "--from", to: "--to", scheduleId: "--schedule" };
      const verification = await session.with(({ client }) =>
        namingFlags([], names, () => client.schedules.verify(from, to, options.schedule)),
      );
      session.output.show(verification, () => show(session, verification));
      if (verification.verdict !== "fine") done(NOT_PROVEN);
    });
}

function show(
  { output }: Session,
  { verdict, counts, schedules, anomalies, keptFrom, cut }: Verification,
): void {
  const { anomalies: amiss, ...fates } = counts;
  const told = Object.entries(fates).map(([fate, count]) => `${count} ${fate}`);
  output.line(`${schedules} schedules: ${told.join(", ")}`);
  for (const { kind, scheduleId, slot } of anomalies)
    output.line(`${kind.padEnd(12)} ${scheduleId} at ${utcTime(Date.parse(slot))}`);
  if (amiss > anomalies.length) output.line(`and ${amiss - anomalies.length} more`);
  if (counts.unknown > 0 && keptFrom !== null)
    output.line(`the history is complete from ${utcTime(Date.parse(keptFrom))} on`);
  for (const { scheduleId, from } of cut)
    output.line(
      `${scheduleId} has too many slots for once: verify it again with --schedule ${scheduleId} --from ${from}`,
    );
  output.line(
    schedules === 0 ? "There is no schedule to verify: is it the right namespace?" : SENTENCES[verdict],
  );
}

const SENTENCES = {
  fine: "Every slot ended once, or is still open.",
  amiss: "Not every slot ended once.",
  unknown: "Nothing is seen to be amiss, but of some slots it can no longer be known.",
};
