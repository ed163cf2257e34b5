/** The page for other languages shows the programs that the tests run: each of its blocks is a region of one. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const programs = join(root, "test/clients/programs");
const page = readFileSync(join(root, "deploy/clients.md"), "utf8");

/** What stands between `region <name>` and `endregion`, in order, moved to the left. */
function regionsOf(text: string): { name: string; code: string }[] {
  const regions = text.matchAll(/^[ \t]*(?:\/\/|#) region (\w+)\n(.*?)^[ \t]*(?:\/\/|#) endregion$/gms);
  return [...regions].map(([, name = "", code = ""]) => ({ name, code: dedent(code) }));
}

function dedent(code: string): string {
  const lines = code.replaceAll("\t", "    ").trimEnd().split("\n");
  const indents = lines.filter((line) => line !== "").map((line) => line.search(/\S/));
  return lines.map((line) => line.slice(Math.min(...indents))).join("\n");
}

const blocks = new Set([...page.matchAll(/^```(?!sh)\w+\n(.*?)\n```$/gms)].map(([, code = ""]) => code));

describe("deploy/clients.md", () => {
  const shown = new Set<string>();
  for (const language of readdirSync(programs)) {
    const [file = ""] = readdirSync(join(programs, language)).filter((name) =>
      /^(client|main)\.(py|go|java|rs|mjs)$/i.test(name),
    );
    const regions = regionsOf(readFileSync(join(programs, language, file), "utf8"));
    test(`shows ${file} as it is`, () => {
      expect(regions.map(({ name }) => name)).toEqual(["enqueue", "later", "schedule", "work"]);
      for (const { code } of regions) expect([...blocks]).toContain(code);
    });
    for (const { code } of regions) shown.add(code);
  }

  test("shows nothing else", () => {
    expect([...blocks].filter((code) => !shown.has(code))).toEqual([]);
  });
});
