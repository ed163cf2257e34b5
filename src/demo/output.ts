/** What the demo prints. */
import type { Receipt, Verdict } from "./audit.js";

export interface Summary extends Omit<Verdict, "examples"> {
  takeoverMs: number;
}

export interface DemoOutput {
  say(text: string): void;
  fired(worker: string, receipt: Receipt): void;
  end(summary: Summary, examples: readonly string[]): void;
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);
const clock = (): string => new Date().toISOString().slice(11, 23);

export function textOutput(): DemoOutput {
  return {
    say: (text) => print(`${clock()}  ${text}`),
    fired: (worker, { scheduleId, fireTime, startedAt }) => {
      const late = `+${(startedAt - fireTime).toFixed(1)} ms`;
      print(`${clock()}  ${worker}  ${late.padStart(10)}  ${scheduleId}`);
    },
    end: ({ fired, missed, doubled, latenessMs: { p50, p99, max }, takeoverMs }, examples) => {
      for (const example of examples) print(example);
      print("");
      print(`fired      ${fired}`);
      print(`missed     ${missed}`);
      print(`doubled    ${doubled}`);
      print(`lateness   p50 ${p50} ms, p99 ${p99} ms, max ${max} ms`);
      print(`takeover   ${takeoverMs} ms after kill -9`);
    },
  };
}

export function jsonOutput(): DemoOutput {
  return {
    say: (text) => void process.stderr.write(`${text}\n`),
    fired: () => {},
    end: (summary, examples) => {
      for (const example of examples) process.stderr.write(`${example}\n`);
      print(JSON.stringify(summary));
    },
  };
}
