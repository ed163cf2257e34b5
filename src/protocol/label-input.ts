/** Labels and selectors as they come in requests. */
import { z } from "zod";
import { labelKeyProblem, labelValueProblem, parseSelector } from "../core/labels.js";
import { limits } from "./limits.js";

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
