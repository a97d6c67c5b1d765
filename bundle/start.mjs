#!/usr/bin/env node
// The bin of the npm package: starts the one file beside it with Deno, or says how to get Deno.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const file = fileURLToPath(new URL("exai-ws-bench.js", import.meta.url));
const flags = [
  "-A",
  "--no-prompt",
  "--no-config",
  "--v8-flags=--expose-gc,--max-semi-space-size=2",
];
// npm installs Deno as a script on Windows.
const shell = process.platform === "win32";
const deno = spawn("deno", ["run", ...flags, file, ...process.argv.slice(2)], {
  stdio: "inherit",
  shell,
});
// Deno gets these too, and ends by itself.
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => {});
deno.on("error", ({ code, message }) => {
  const why = code === "ENOENT" ? "Deno is not installed" : message;
  process.stderr.write(
    `error: Cannot start exai-ws-bench as ${why}: it needs Deno 2.9 or later. Install it with ` +
      "`npm install --global deno`, or from https://deno.com, and run this again.\n",
  );
  process.exitCode = 2;
});
deno.on("exit", (code) => process.exitCode = code ?? 1);
