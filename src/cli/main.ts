#!/usr/bin/env node
import { version } from "../version.js";
import { processContext } from "./process.js";
import { run } from "./program.js";

// A reader such as `head` that has seen enough is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit();
  throw error;
});

const exitCode = await run(process.argv.slice(2), version, processContext());
// Nothing that a failed command left open may keep the process; what was written goes out first.
process.stdout.write("", () => process.exit(exitCode));
