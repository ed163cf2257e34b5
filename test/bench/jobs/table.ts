/** The tables of a run, for people. */
import type { Figure, Table } from "./measures.js";

/** A column beside the figures. */
interface Comparison {
  head: string;
  of(figure: Figure): string;
}

/**
 * Every system's figures; how many times better each is than BullMQ, or than the first peer that is there; and how much
 * of the throughput of JetStream alone it has.
 */
export function printTable(table: Table): void {
  const { title, columns, unit, figures } = table;
  console.log(`\n${title}`);
  const width = Math.max(...figures.map(({ system }) => system.length)) + 2;
  const comparisons = [toPeer(table), ofFloor(table)].filter((comparison) => comparison !== undefined);
  const head = columns.map((column) => column.padStart(10)).join("");
  const against = comparisons.map((comparison) => `  ${comparison.head}`).join("");
  console.log(`  ${"".padEnd(width)}${head}${against}`);
  for (const figure of figures) {
    const cells = columns.map((_, i) => cell(figure.values[i] ?? null, unit).padStart(10)).join("");
    const compared = comparisons.map((one) => `  ${one.of(figure).padStart(one.head.length)}`).join("");
    const remark = figure.remark === undefined ? "" : `  ${figure.remark}`;
    console.log(`  ${figure.system.padEnd(width)}${cells}${compared}${remark}`.trimEnd());
  }
}

function toPeer({ figures, compared, unit }: Table): Comparison | undefined {
  const peers = figures.filter(({ role }) => role === "peer");
  const base = peers.find(({ system }) => system.startsWith("BullMQ")) ?? peers[0];
  if (base === undefined) return undefined;
  return {
    head: `to ${base.system}`,
    of: ({ values }) => {
      const [own, theirs] = [values[compared] ?? null, base.values[compared] ?? null];
      if (own === null || theirs === null) return "";
      const better = unit === "ms" ? theirs / own : own / theirs;
      return `${better.toFixed(better < 10 ? 1 : 0)} ×`;
    },
  };
}

function ofFloor({ figures, compared, unit }: Table): Comparison | undefined {
  const floor = figures.find(({ role }) => role === "floor");
  if (floor === undefined || unit === "ms") return undefined;
  return {
    head: `of ${floor.system}`,
    of: ({ values }) => {
      const [own, most] = [values[compared] ?? null, floor.values[compared] ?? null];
      return own === null || most === null ? "" : `${Math.round((100 * own) / most)} %`;
    },
  };
}

function cell(value: number | null, unit: Table["unit"]): string {
  if (value === null) return "failed";
  return unit === "ms" ? value.toFixed(1) : Math.round(value).toLocaleString("en-US");
}
