/** The languages, and what builds and starts a program in each. Versions are locked beside the programs. */
import { join } from "node:path";
import type { Toolchain } from "./toolchain.js";

export const python: Toolchain = {
  language: "Python",
  source: "python",
  tools: [
    ["python3", "--version"],
    ["python3", "-m", "pip", "--version"],
  ],
  steps: [
    [
      "python3",
      ..."-m pip install --quiet --require-hashes --target packages -r requirements.txt".split(" "),
    ],
  ],
  env: (folder) => ({ PYTHONPATH: join(folder, "packages"), PYTHONDONTWRITEBYTECODE: "1" }),
  command: (folder) => ["python3", join(folder, "client.py")],
};

export const go: Toolchain = {
  language: "Go",
  source: "go",
  tools: [["go", "version"]],
  steps: [["go", "build", "-o", "client", "."]],
  command: (folder) => [join(folder, "client")],
};

export const java: Toolchain = {
  language: "Java",
  source: "java",
  tools: [
    ["mvn", "--version"],
    ["javac", "--version"],
  ],
  steps: [
    ["mvn", "--batch-mode", "--quiet", "dependency:copy-dependencies"],
    ["javac", "-cp", "lib/*", "-d", "classes", "Client.java"],
  ],
  command: (folder) => ["java", "-cp", `${join(folder, "classes")}:${join(folder, "lib/*")}`, "Client"],
};

export const rust: Toolchain = {
  language: "Rust",
  source: "rust",
  tools: [["cargo", "--version"]],
  steps: [["cargo", ..."install --locked --debug --quiet --no-track --path . --root .".split(" ")]],
  // Beside the programs: another version of ours finds its dependencies built.
  env: (folder) => ({ CARGO_TARGET_DIR: join(folder, "../rust-target") }),
  command: (folder) => [join(folder, "bin/client")],
};

/** `nats` 2.x is a development dependency of the repository, so the program runs where it lies. */
export const javascript: Toolchain = {
  language: "JavaScript",
  source: "javascript",
  tools: [["node", "--version"]],
  steps: [],
  command: () => [process.execPath, join(import.meta.dirname, "../programs/javascript/client.mjs")],
};

/** The command `nats`; no program of ours. */
export const natsCli: Toolchain = {
  language: "nats",
  source: null,
  tools: [["go", "version"]],
  steps: [["go", "install", "github.com/nats-io/natscli/nats@v0.5.0"]],
  env: (folder) => ({ GOBIN: folder }),
  command: (folder) => [join(folder, "nats"), "--no-context"],
};
