/** What deploy/ offers to Prometheus and Grafana: it loads, and asks for nothing that does not exist. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { Metrics } from "../../src/http/metrics.js";
import { promtool, promtoolTest } from "../support/promtool.js";

const DEPLOY = join(import.meta.dirname, "../../deploy");
const rules = join(DEPLOY, "prometheus/alerts.yaml");
const dashboard = z
  .object({
    title: z.string(),
    panels: z.array(z.object({ title: z.string(), targets: z.array(z.object({ expr: z.string() })).min(1) })),
  })
  .parse(JSON.parse(readFileSync(join(DEPLOY, "grafana/punctual.json"), "utf8")));

async function existing(): Promise<Set<string>> {
  const metrics = new Metrics("1.2.3");
  onTestFinished(() => metrics.stop());
  const catalogue = await metrics.catalogue();
  return new Set(
    catalogue.flatMap(({ name, type }) =>
      type === "histogram" ? ["bucket", "sum", "count"].map((part) => `${name}_${part}`) : [name],
    ),
  );
}

const metricsIn = (text: string): string[] => text.match(/\b(?:punctual|process)_[a-z_]+\b/g) ?? [];

describe("the dashboard", () => {
  test.for(dashboard.panels)("$title asks for metrics that exist", async ({ targets }) => {
    const asked = targets.flatMap(({ expr }) => metricsIn(expr));
    expect(asked.length).toBeGreaterThan(0);
    const known = await existing();
    expect(asked.filter((name) => !known.has(name))).toEqual([]);
  });

  test("shows every metric of ours", async () => {
    const asked = dashboard.panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => metricsIn(expr)));
    const shown = new Set(asked.map((name) => name.replace(/_bucket$/, "")));
    const metrics = new Metrics("1.2.3");
    onTestFinished(() => metrics.stop());
    const ours = (await metrics.catalogue())
      .map(({ name }) => name)
      .filter((name) => /^punctual_/.test(name));
    expect(ours.filter((name) => !shown.has(name))).toEqual([]);
  });
});

describe("the alert rules", () => {
  test("ask for metrics that exist", async () => {
    const expressions = [...readFileSync(rules, "utf8").matchAll(/^ +expr: (.*)$/gm)].map(([, expr]) => expr);
    expect(expressions.length).toBeGreaterThan(5);
    const known = await existing();
    const asked = expressions.flatMap((expr) => metricsIn(expr as string));
    expect(asked.filter((name) => !known.has(name))).toEqual([]);
  });

  promtoolTest("load: promtool check rules", async () => {
    const { status, said } = await promtool(["check", "rules", rules]);
    expect(said).toMatch(/SUCCESS: \d+ rules found/);
    expect(status).toBe(0);
  });

  promtoolTest("the dashboard's queries can be read: promtool promql", async () => {
    const exprs = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
    const groups = {
      groups: [
        {
          name: "dashboard",
          rules: exprs.map((expr, i) => ({
            record: `q:${i}`,
            expr: expr.replaceAll("$__rate_interval", "5m"),
          })),
        },
      ],
    };
    const folder = mkdtempSync(join(tmpdir(), "punctual-rules-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    // JSON is YAML.
    const file = join(folder, "rules.yaml");
    writeFileSync(file, JSON.stringify(groups));
    const { status, said } = await promtool(["check", "rules", file]);
    expect(said).toContain("SUCCESS");
    expect(status).toBe(0);
  });
});
