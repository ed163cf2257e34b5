/**
 * Verifies the models of the coordination protocol: sound variants must come out clean, broken ones be caught.
 * Prints one line each and ends with `N passed, N failed, N skipped`. With words as arguments, only the
 * variants whose name holds one of them are run and the others count as skipped.
 */
import { type Variant, variants } from "./variants.js";
import { flags, missingTools, verify } from "./verify.js";

const AT_ONCE = 2;

const missing = await missingTools();
if (missing.length > 0) {
  console.error(`${missing.join(" and ")} not found; install with: apt-get install spin gcc libc6-dev`);
  process.exit(1);
}

const words = process.argv.slice(2);
const chosen = variants.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
const queue = [...chosen];
let failed = 0;

async function drain(): Promise<void> {
  for (let variant = queue.shift(); variant !== undefined; variant = queue.shift()) {
    if (!(await check(variant))) failed++;
  }
}

async function check(variant: Variant): Promise<boolean> {
  const start = performance.now();
  const { verdict, detail } = await verify(variant);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const ok = verdict === variant.expected;
  const found = `${variant.expected}${ok ? "" : `, but was ${verdict ?? "not decided"}`}`;
  console.log(`${ok ? "ok  " : "FAIL"} ${variant.name}: ${found} (${detail}, ${seconds} s)`);
  if (!ok) console.log(`     ${variant.model} ${flags(variant).join(" ")}`);
  return ok;
}

await Promise.all(Array.from({ length: AT_ONCE }, drain));
console.log(`${chosen.length - failed} passed, ${failed} failed, ${variants.length - chosen.length} skipped`);
process.exitCode = failed > 0 ? 1 : 0;
