/** Labels on schedules, and the selectors that pick schedules by them; both as in Kubernetes. */
import { invalid } from "./errors.js";

export type Labels = Readonly<Record<string, string>>;

/** One condition on one label; a selector is all of them. */
export interface Requirement {
  key: string;
  /** `exists` and `absent` have no value. */
  kind: "is" | "is not" | "exists" | "absent";
  value: string;
}

export type Selector = readonly Requirement[];

const NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
const PREFIX = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;
const MOST_PREFIX = 253;

const EXPECTED_NAME =
  "expected 1 to 63 characters of A-Z a-z 0-9 . _ -, the first and last a letter or digit";

/** What is wrong with a key (`team`, `example.com/team`); undefined: nothing. */
export function labelKeyProblem(key: string): string | undefined {
  const slash = key.indexOf("/");
  const [prefix, name] = slash < 0 ? [undefined, key] : [key.slice(0, slash), key.slice(slash + 1)];
  if (prefix !== undefined && (prefix.length > MOST_PREFIX || !PREFIX.test(prefix)))
    return `expected a DNS name of at most ${MOST_PREFIX} characters before the slash`;
  return NAME.test(name) ? undefined : EXPECTED_NAME;
}

/** What is wrong with a value; undefined: nothing. A value may be empty. */
export function labelValueProblem(value: string): string | undefined {
  return value === "" || NAME.test(value) ? undefined : `${EXPECTED_NAME}, or nothing`;
}

/**
 * Reads `team=billing,env!=test,urgent,!legacy`: conditions with commas between, all of which must hold.
 *
 * @throws invalid
 */
export function parseSelector(text: string): Selector {
  return text.split(",").map((part) => requirementOf(part.trim()));
}

function requirementOf(text: string): Requirement {
  const [, not, key = "", operator, value = ""] = /^(!?)([^=!]*)(!=|==?)?(.*)$/.exec(text) ?? [];
  const fits = labelKeyProblem(key) === undefined && labelValueProblem(value) === undefined;
  if (!fits || (not === "!" && operator !== undefined) || (operator === undefined && value !== "")) {
    const forms = "key=value, key!=value, key or !key, with commas between";
    throw invalid("selector", `expected ${forms}, got ${JSON.stringify(text)}`);
  }
  if (operator === undefined) return { key, kind: not === "!" ? "absent" : "exists", value: "" };
  return { key, kind: operator === "!=" ? "is not" : "is", value };
}

/** A label that is not there is not any value either, as in Kubernetes. */
export function matches(selector: Selector, labels: Labels = {}): boolean {
  return selector.every(({ key, kind, value }) => {
    const has = Object.hasOwn(labels, key);
    if (kind === "exists") return has;
    if (kind === "absent") return !has;
    return (has && labels[key] === value) === (kind === "is");
  });
}
