/** What a cron line says and perhaps does not mean, whatever its zone. */
import { type CronFields, parseCronFields } from "./cron-fields.js";
import { type FieldGrammar, GRAMMAR, numberOf } from "./cron-grammar.js";
import { type FieldText, splitLine } from "./cron-line.js";
import type { Finding } from "./finding.js";

const MONTH_NAMES = [
  ...["January", "February", "March", "April", "May", "June"],
  ...["July", "August", "September", "October", "November", "December"],
];

/** The line has been parsed before; this does not refuse anything. */
export function lineFindings(line: string, seed: string): Finding[] {
  const fields = parseCronFields(line, seed);
  const texts = splitLine(line);
  return [
    ...GRAMMAR.flatMap((grammar, index) => unevenSteps(grammar, texts[index]!)),
    ...skippedMonths(fields),
    ...orOfDays(fields, texts[3], texts[5]),
  ];
}

/** A step that does not divide its unit is cut short, or stretched, where the unit starts again. */
function unevenSteps(grammar: FieldGrammar, { text }: FieldText): Finding[] {
  return text.split(",").flatMap((item) => {
    const [, start, stepText] = /^(\*|\?|\w+)\/(\d+)$/.exec(item) ?? [];
    const step = Number(stepText);
    if (start === undefined || step <= 1 || /^H/.test(start)) return [];
    if (grammar.name === "dayOfMonth") return [monthEnds(item, step)];
    const size = grammar.name === "dayOfWeek" ? 7 : grammar.max - grammar.min + 1;
    const first = /^[*?]$/.test(start) ? grammar.min : numberOf(grammar, start);
    const end = grammar.min + size;
    const last = first + Math.floor((end - 1 - first) / step) * step;
    const wrap = end - last + (first - grammar.min);
    if (wrap === step) return [];
    return [
      {
        code: "uneven-step" as const,
        message: `${grammar.label} ${item} starts again with each ${grammar.outer}: the last step is ${wrap}, not ${step}`,
      },
    ];
  });
}

function monthEnds(item: string, step: number): Finding {
  return {
    code: "uneven-step",
    message: `day of month ${item} starts again with each month: the last step is what is left of it, not ${step}`,
  };
}

function skippedMonths({ dayOfMonth, dayOfWeek, month }: CronFields): Finding[] {
  if (!dayOfMonth.restricted || dayOfWeek.restricted) return [];
  const { values, last, nearest, nearestToLast } = dayOfMonth;
  const dates = values.reduce((mask, date) => mask | (1 << date), nearest) >>> 1;
  const firesIn = (length: number) => (dates | last | nearestToLast) << (32 - length) !== 0;
  const lengthOf = (value: number) => (value === 2 ? 28 : 30 + ((value + (value >> 3)) & 1));
  const skipped = month.values.filter((value) => !firesIn(lengthOf(value)));
  if (skipped.length === 0) return [];
  const names = skipped.map(
    (value) => `${MONTH_NAMES[value - 1]}${value === 2 && firesIn(29) ? " (but in leap years)" : ""}`,
  );
  return [
    {
      code: "skips-months",
      message: `there is no such day in ${names.join(", ")}; the last day of every month is L`,
    },
  ];
}

function orOfDays({ dayOfMonth, dayOfWeek }: CronFields, date: FieldText, weekday: FieldText): Finding[] {
  if (!dayOfMonth.restricted || !dayOfWeek.restricted) return [];
  return [
    {
      code: "day-or",
      message: `fires when day of month is ${date.text} or day of week is ${weekday.text}, not only when both hold`,
    },
  ];
}
