/** The structure of the source, as a test: who may import whom, who reads the clock, how long a file may be. */
import { readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, relative } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const src = join(root, "src");
const MOST_LINES = 300;

interface Source {
  /** Within `src`, as in `nats/open.ts`. */
  path: string;
  text: string;
  tree: ts.SourceFile;
  imports: string[];
}

const sources: Source[] = readdirSync(src, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"))
  .sort()
  .map((path) => {
    const text = readFileSync(join(src, path), "utf8");
    const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
    return { path, text, tree, imports: importsOf(tree) };
  });

/** What a file imports, re-exports, or loads later: files of ours by their path in `src`, packages by their name. */
function importsOf(tree: ts.SourceFile): string[] {
  const found: string[] = [];
  visit(tree, (node) => {
    if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier)
      found.push((node.moduleSpecifier as ts.StringLiteral).text);
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      found.push((node.arguments[0] as ts.StringLiteral).text);
    if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
      found.push((node.argument.literal as ts.StringLiteral).text);
  });
  return found.map((specifier) => {
    if (specifier.startsWith("."))
      return relative(src, join(src, dirname(tree.fileName), specifier)).replace(/\.js$/, ".ts");
    return packageOf(specifier);
  });
}

function visit(node: ts.Node, look: (node: ts.Node) => void): void {
  look(node);
  ts.forEachChild(node, (child) => visit(child, look));
}

function packageOf(specifier: string): string {
  if (specifier.startsWith("node:") || builtinModules.includes(specifier)) return "node";
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/** A part is a folder of `src`, or a file that lies in it. */
const partOf = (path: string): string => path.split("/")[0] as string;
const isOurs = (name: string): boolean => name.endsWith(".ts");
const where = (node: ts.Node, { path, tree }: Source): string =>
  `${path}:${tree.getLineAndCharacterOfPosition(node.getStart()).line + 1}`;

/** Every node of the source that is so, by its place. */
const places = (isSo: (node: ts.Node, source: Source) => boolean): string[] =>
  sources.flatMap((source) => {
    const found: string[] = [];
    visit(source.tree, (node) => {
      if (isSo(node, source)) found.push(where(node, source));
    });
    return found;
  });

/** What each part may import besides itself: parts and packages. Nothing else, and no part that is not listed. */
const arrows: Record<string, readonly string[]> = {
  core: ["cron-parser", "rrule-temporal"],
  protocol: ["core", "zod"],
  nats: ["core", "protocol", "zod", "@nats-io/transport-node", "@nats-io/jetstream", "@nats-io/kv", "node"],
  runtime: ["core", "pino", "node"],
  orchestrator: ["core", "protocol", "runtime", "zod"],
  worker: ["core", "protocol", "runtime", "zod", "piscina", "node"],
  client: ["core", "protocol", "runtime", "zod", "node"],
  http: ["core", "protocol", "prom-client", "node"],
  tracing: ["core", "@opentelemetry/api"],
  testing: ["core", "protocol"],
  "version.ts": ["node"],
  "connect.ts": [
    "core",
    "protocol",
    "runtime",
    "nats",
    "orchestrator",
    "worker",
    "client",
    "http",
    "tracing",
    "version.ts",
    "zod",
    "node",
  ],
  "index.ts": ["connect.ts", "core", "protocol", "runtime", "orchestrator", "worker", "client", "version.ts"],
  cli: [
    "connect.ts",
    "client",
    "core",
    "protocol",
    "runtime",
    "version.ts",
    "worker",
    "demo",
    "commander",
    "node",
  ],
  demo: ["connect.ts", "client", "cli", "core", "protocol", "runtime", "worker", "cron-parser", "node"],
};

describe("the arrows", () => {
  for (const part of new Set(sources.map(({ path }) => partOf(path)))) {
    test(`${part} imports nothing but what it may`, () => {
      const allowed = arrows[part];
      expect(allowed, `${part} is not listed`).toBeDefined();
      const wrong = sources
        .filter(({ path }) => partOf(path) === part)
        .flatMap(({ path, imports }) =>
          imports
            .map((name) => (isOurs(name) ? partOf(name) : name))
            .filter((name) => name !== part && !allowed?.includes(name))
            .map((name) => `${path} → ${name}`),
        );
      expect(wrong).toEqual([]);
    });
  }

  test("list no part that is gone", () => {
    const parts = new Set(sources.map(({ path }) => partOf(path)));
    expect(Object.keys(arrows).filter((part) => !parts.has(part))).toEqual([]);
  });

  test("form no cycle between files", () => {
    const imports = new Map(sources.map((source) => [source.path, source.imports.filter(isOurs)]));
    expect(cyclesOf(imports)).toEqual([]);
  });

  test("lead to files that exist", () => {
    const paths = new Set(sources.map(({ path }) => path));
    const lost = sources.flatMap(({ imports }) => imports.filter((name) => isOurs(name) && !paths.has(name)));
    expect(lost).toEqual([]);
  });
});

function cyclesOf(imports: Map<string, string[]>): string[] {
  const done = new Set<string>();
  const cycles: string[] = [];
  const walk = (path: string, trail: string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) cycles.push([...trail.slice(start), path].join(" → "));
    if (start >= 0 || done.has(path)) return;
    for (const next of imports.get(path) ?? []) walk(next, [...trail, path]);
    done.add(path);
  };
  for (const path of imports.keys()) walk(path, []);
  return cycles;
}

describe("time and chance", () => {
  /** Apart from the one clock: the life of child processes, and the demo, which measures from outside. */
  const readers = {
    wall: ["runtime/clock.ts", "demo/demo.ts", "demo/output.ts"],
    elapsed: ["runtime/clock.ts", "demo/takeover.ts", "demo/worker-process.ts"],
    timers: [
      "runtime/clock.ts",
      "runtime/embedded/child.ts",
      "runtime/embedded/data-folder.ts",
      "runtime/embedded/install.ts",
      "runtime/embedded/server.ts",
      "demo/demo.ts",
      "demo/fleet.ts",
    ],
    chance: ["connect.ts", "client/client.ts", "worker/worker-id.ts"],
  };
  /** `testing` gives users a clock of the machine for whole programs in memory. */
  const testing = "testing/manual-clock.ts";
  const filesOf = (found: string[]): string[] => [
    ...new Set(found.map((place) => place.split(":")[0] as string)),
  ];
  const called = (node: ts.Node): string => (ts.isCallExpression(node) ? node.expression.getText() : "");

  test("the wall clock is read in the listed files only", () => {
    const found = places(
      (node) =>
        called(node) === "Date.now" ||
        called(node) === "Date" ||
        (ts.isNewExpression(node) && node.expression.getText() === "Date" && !node.arguments?.length),
    );
    expect(
      filesOf(found)
        .filter((path) => path !== testing)
        .sort(),
    ).toEqual([...readers.wall].sort());
  });

  test("elapsed time is read in the listed files only", () => {
    const found = places((node) => /^(performance\.now|process\.(hrtime|uptime).*)$/.test(called(node)));
    expect(
      filesOf(found)
        .filter((path) => path !== testing)
        .sort(),
    ).toEqual([...readers.elapsed].sort());
  });

  test("timers are set in the listed files only", () => {
    const timer = /^(globalThis\.)?(setTimeout|setInterval|setImmediate)$/;
    const found = places(
      (node) =>
        timer.test(called(node)) ||
        (ts.isImportDeclaration(node) && /^.(node:)?timers\b/.test(node.moduleSpecifier.getText())) ||
        called(node) === "AbortSignal.timeout",
    );
    expect(
      filesOf(found)
        .filter((path) => path !== testing)
        .sort(),
    ).toEqual([...readers.timers].sort());
  });

  test("chance is asked in the listed files only", () => {
    const isChance = (text: string) => /^(Math\.random|random\w*|crypto\.\w*)$/.test(text);
    const found = places(
      (node) => isChance(called(node)) || (ts.isImportSpecifier(node) && isChance(node.name.text)),
    );
    expect(filesOf(found).sort()).toEqual([...readers.chance].sort());
  });
});

describe("the code", () => {
  test(`has no file of more than ${MOST_LINES} lines`, () => {
    const long = sources.filter(({ text }) => text.trimEnd().split("\n").length > MOST_LINES);
    expect(long.map(({ path }) => path)).toEqual([]);
  });

  test("knows no any", () => {
    expect(places((node) => node.kind === ts.SyntaxKind.AnyKeyword)).toEqual([]);
  });

  test("switches off no check", () => {
    const off = sources.filter(({ text }) =>
      /@ts-(ignore|nocheck|expect-error)|biome-ignore|eslint-disable/.test(text),
    );
    expect(off.map(({ path }) => path)).toEqual([]);
  });

  test("exports by name: no export *, no default", () => {
    const found = places(
      (node) =>
        (ts.isExportDeclaration(node) &&
          (node.exportClause === undefined || ts.isNamespaceExport(node.exportClause))) ||
        ts.isExportAssignment(node) ||
        (node.kind === ts.SyntaxKind.DefaultKeyword && ts.isFunctionDeclaration(node.parent)),
    );
    expect(found).toEqual([]);
  });

  test("has no file that belongs nowhere", () => {
    const vague = /(^|\/)(utils?|common|helpers?|managers?|misc|shared)(\.ts|\/)/;
    expect(sources.map(({ path }) => path).filter((path) => vague.test(path))).toEqual([]);
  });
});

describe("the package", () => {
  const { exports, bin, dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const sourceOf = (built: string): string => built.replace("./dist/", "").replace(/(\.d)?\.[jt]s$/, ".ts");

  test("exports a short list that someone wrote, each with its types", () => {
    expect(Object.keys(exports)).toEqual([".", "./testing", "./package.json"]);
    const paths = new Set(sources.map(({ path }) => path));
    for (const entry of [exports["."], exports["./testing"]]) {
      expect(Object.keys(entry)).toEqual(["types", "default"]);
      expect(sourceOf(entry.types)).toBe(sourceOf(entry.default));
      expect(paths).toContain(sourceOf(entry.default));
    }
    expect(paths).toContain(sourceOf(`./${bin.punctual}`));
  });

  test("depends on what it imports, and on nothing else", () => {
    const used = new Set(
      sources.flatMap(({ imports }) => imports.filter((name) => !isOurs(name) && name !== "node")),
    );
    expect([...used].sort()).toEqual(Object.keys(dependencies).sort());
  });

  test("does nothing when it is imported: its entry only names names", () => {
    const entries = sources.filter(({ path }) => path === "index.ts" || path === "testing/index.ts");
    expect(entries).toHaveLength(2);
    for (const { tree } of entries) expect(tree.statements.every(ts.isExportDeclaration)).toBe(true);
  });
});
