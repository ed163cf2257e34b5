/** `--alert-webhook`: whom an orchestrator calls about alerts. The secret is never a flag: others can see those. */
import { type Command, Option } from "commander";
import { namingFlags } from "./flags.js";
import type { AlertsOption, CliContext } from "./runtime.js";

const VARIABLE = "PUNCTUAL_ALERT_WEBHOOK";
const SECRET = "PUNCTUAL_ALERT_WEBHOOK_SECRET";
const FLAG = "--alert-webhook";

export interface AlertFlag {
  alertWebhook?: string[];
}

export const addAlertFlag = (command: Command): Command =>
  command.addOption(
    new Option(
      `${FLAG} <url>`,
      `post each alert there, signed with ${SECRET} if that is set; may be repeated [${VARIABLE}, with blanks between]`,
    ).argParser((url: string, before: string[] = []) => [...before, url]),
  );

/** The flags, or else their variable. */
export function alertsOption({ alertWebhook }: AlertFlag, { env }: CliContext): AlertsOption {
  const urls = alertWebhook ?? (env[VARIABLE] ?? "").split(/\s+/).filter((url) => url !== "");
  const secret = env[SECRET];
  const signed = secret === undefined || secret === "" ? {} : { secret };
  return urls.length === 0 ? {} : { alerts: { webhooks: urls.map((url) => ({ url, ...signed })) } };
}

/** Errors about webhooks name what they came from. */
export const namingAlerts = <T>({ alerts }: AlertsOption, start: () => Promise<T>): Promise<T> => {
  const names = (alerts?.webhooks ?? []).flatMap((_, index) => [
    [`webhooks[${index}].url`, FLAG],
    [`webhooks[${index}].secret`, SECRET],
  ]);
  return namingFlags([], { ...Object.fromEntries(names), webhooks: FLAG }, start);
};
