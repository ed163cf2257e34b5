/** `--label`, as the commands take it that are about many schedules. */
import type { Command } from "commander";
import { invalid, PunctualError } from "../core/errors.js";
import { parseSelector } from "../core/labels.js";

export function addLabelSelector(command: Command): Command {
  return command.option(
    "--label <selector>",
    "only those with team=billing, env!=test, urgent or !legacy; may be repeated, all must hold",
    (text: string, before: string[] = []) => [...before, text],
  );
}

/** One selector of all that were given; checked. */
export function selectorOf(labels: readonly string[] | undefined): string | undefined {
  if (labels === undefined) return undefined;
  const selector = labels.join(",");
  try {
    parseSelector(selector);
  } catch (error) {
    const [issue] = error instanceof PunctualError ? error.issues : [];
    throw issue === undefined ? error : invalid("--label", issue.message);
  }
  return selector;
}
