/** The tables of a run, for people. */
import type { Figure, Table } from "./measures.js";

/** Every system's figures, and how many times better Punctual is than each peer. */
export function printTable({ title, columns, unit, compared, figures }: Table): void {
  console.log(`\n${title}`);
  const width = Math.max(...figures.map(({ system }) => system.length)) + 2;
  const head = columns.map((column) => column.padStart(10)).join("");
  console.log(`  ${"".padEnd(width)}${head}  Punctual is`);
  const own = figures.find(({ isPeer }) => !isPeer)?.values[compared] ?? null;
  for (const figure of figures) {
    const cells = columns.map((_, i) => cell(figure.values[i] ?? null, unit).padStart(10)).join("");
    const ratio = figure.isPeer ? ratioOf(own, figure, compared, unit) : "";
    const remark = figure.remark === undefined ? "" : `  (${figure.remark})`;
    console.log(`  ${figure.system.padEnd(width)}${cells}  ${ratio}${remark}`.trimEnd());
  }
}

function ratioOf(own: number | null, { values }: Figure, compared: number, unit: Table["unit"]): string {
  const theirs = values[compared] ?? null;
  if (own === null || theirs === null) return "";
  const better = unit === "ms" ? theirs / own : own / theirs;
  const digits = better < 10 ? 1 : 0;
  return unit === "ms" ? `${better.toFixed(digits)} × as prompt` : `${better.toFixed(digits)} × as fast`;
}

function cell(value: number | null, unit: Table["unit"]): string {
  if (value === null) return "failed";
  return unit === "ms" ? value.toFixed(1) : Math.round(value).toLocaleString("en-US");
}
