/** The tables of a run, for people. */
import type { Figure, Table } from "./measures.js";

/** Every system's figures, and how many times better each is than BullMQ, or than the first peer that is there. */
export function printTable({ title, columns, unit, compared, figures }: Table): void {
  console.log(`\n${title}`);
  const width = Math.max(...figures.map(({ system }) => system.length)) + 2;
  const peers = figures.filter(({ isPeer }) => isPeer);
  const base = peers.find(({ system }) => system.startsWith("BullMQ")) ?? peers[0];
  const head = columns.map((column) => column.padStart(10)).join("");
  const against = base === undefined ? "" : `  to ${base.system}`;
  console.log(`  ${"".padEnd(width)}${head}${against}`);
  for (const figure of figures) {
    const cells = columns.map((_, i) => cell(figure.values[i] ?? null, unit).padStart(10)).join("");
    const ratio = base === undefined ? "" : ratioOf(figure, base, compared, unit);
    const remark = figure.remark === undefined ? "" : `  ${figure.remark}`;
    console.log(`  ${figure.system.padEnd(width)}${cells}${ratio.padStart(9)}${remark}`.trimEnd());
  }
}

function ratioOf(figure: Figure, base: Figure, compared: number, unit: Table["unit"]): string {
  const [own, theirs] = [figure.values[compared] ?? null, base.values[compared] ?? null];
  if (own === null || theirs === null) return "";
  const better = unit === "ms" ? theirs / own : own / theirs;
  return `${better.toFixed(better < 10 ? 1 : 0)} ×`;
}

function cell(value: number | null, unit: Table["unit"]): string {
  if (value === null) return "failed";
  return unit === "ms" ? value.toFixed(1) : Math.round(value).toLocaleString("en-US");
}
