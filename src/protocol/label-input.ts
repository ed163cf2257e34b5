/** Labels and selectors as they come in requests. */
import { z } from "zod";
import { invalid } from "../core/errors.js";
import { labelKeyProblem, labelValueProblem, parseSelector } from "../core/labels.js";
import { limits } from "./limits.js";
import { read as readBy, show } from "./parse.js";

export const labelMap = z.record(z.string(), z.string()).superRefine((map, context) => {
  const refuse = (path: string[], message: string) => context.addIssue({ code: "custom", path, message });
  const count = Object.keys(map).length;
  if (count > limits.labels) refuse([], `expected at most ${limits.labels} labels, got ${count}`);
  for (const [key, value] of Object.entries(map)) {
    const wrongKey = labelKeyProblem(key);
    const wrongValue = labelValueProblem(value);
    if (wrongKey !== undefined) refuse([key], `${wrongKey}, got the key ${JSON.stringify(key)}`);
    else if (wrongValue !== undefined) refuse([key], wrongValue);
  }
});

/** `team=billing,env!=test`; parsed. */
export const selectorText = z.string().transform((text, context) => {
  try {
    return parseSelector(text);
  } catch (error) {
    context.addIssue({ code: "custom", message: (error as Error).message.replace(/^selector: /, "") });
    return z.NEVER;
  }
});

/** Labels as one header, `a=b,c=d`: neither keys nor values have a comma or an equals sign. */
export function encodeLabels(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
}

/** Empty for what is no list of labels: anyone can publish. */
export function decodeLabels(text: string | undefined): Record<string, string> {
  if (text === undefined || text === "") return {};
  const pairs = text.split(",").map((pair) => pair.split("=") as [string, string]);
  const read = labelMap.safeParse(
    pairs.every((pair) => pair.length === 2) ? Object.fromEntries(pairs) : null,
  );
  return read.success ? read.data : {};
}

/**
 * The header as it is passed on.
 *
 * @throws invalid when it is no list of labels
 */
export function readLabels(text: string, field: string): string {
  const pairs = text.split(",").map((pair) => pair.trim().split("="));
  if (pairs.some((pair) => pair.length !== 2))
    throw invalid(field, `expected labels such as team=billing,tier=1, got ${show(text)}`);
  const labels = Object.fromEntries(pairs as [string, string][]);
  const read = readBy(labelMap, labels);
  if (!read.success) throw invalid(field, read.error.issues[0]?.message ?? "expected labels");
  return encodeLabels(labels);
}
