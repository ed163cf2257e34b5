/**
 * The command part of a crontab line. The first `%` ends the command, what follows is its standard input, where
 * every further `%` is a line break; `\%` is a percent sign. After `do_command.c` of Vixie cron.
 */
export function splitCommand(text: string): { command: string; stdin: string | undefined } {
  const end = /^(?:\\.|[^%])*/s.exec(text)?.[0].length ?? 0;
  const command = text.slice(0, end).replaceAll("\\%", "%").trim();
  const rest = text.slice(end + 1);
  if (rest === "") return { command, stdin: undefined };
  const stdin = rest.replace(/\\%|%/g, (found) => (found === "%" ? "\n" : "%"));
  return { command, stdin: stdin.endsWith("\n") ? stdin : `${stdin}\n` };
}
