#!/usr/bin/env node
// The bin of the npm package: starts the bundle with Deno, or says how to install Deno.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const file = fileURLToPath(new URL("exai-ws-bench.js", import.meta.url));
const flags = [
  "-A",
  "--no-prompt",
  "--no-config",
  "--v8-flags=--expose-gc,--max-semi-space-size=2",
];
// On Windows, npm installs Deno as a script.
const shell = process.platform === "win32";
const deno = spawn("deno", ["run", ...flags, file, ...process.argv.slice(2)], {
  stdio: "inherit",
  shell,
});
// Deno receives these signals too, and exits by itself.
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => {});
deno.on("error", ({ code, message }) => {
  const why = code === "ENOENT" ? "Deno is not installed" : message;
  process.stderr.write(
    `error: Cannot start exai-ws-bench: ${why}. It needs Deno 2.9 or later. Install Deno with ` +
      "`npm install --global deno` or from https://deno.com, then try again.\n",
  );
  process.exitCode = 2;
});
deno.on("exit", (code) => process.exitCode = code ?? 1);
