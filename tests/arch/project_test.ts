/**
 * deno.json keeps its rules, and agrees with the options and `.env.example`.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import envExample from "../../.env.example" with { type: "text" };
import contributing from "../../CONTRIBUTING.md" with { type: "text" };
import project from "../../deno.json" with { type: "json" };
import { OPTIONS } from "../../lib/cli/options.ts";
import { PROXY_VARIABLES } from "../../lib/cli/environment.ts";
import { ENGINE_VARIABLES } from "../../lib/cli/shard_settings.ts";
import { parseServeOptions } from "../../lib/cli/serve_command.ts";

const TASKS: [string, { description?: string; command?: string }][] = Object.entries(project.tasks);

Deno.test("arch: every npm package is pinned exactly", () => {
  const npm = Object.entries(project.imports).filter(([, to]) => to.startsWith("npm:"));
  assert(npm.length > 0);
  for (const [name, to] of npm) {
    assert(/^npm:(@[\w-]+\/)?[\w.-]+@\d+\.\d+\.\d+(-[\w.]+)?$/.test(to), `${name}: ${to}`);
  }
});

Deno.test("arch: CONTRIBUTING.md lists every dependency, its version and its purpose", () => {
  for (const [name, to] of Object.entries(project.imports)) {
    const version = to.slice(to.lastIndexOf("@") + 1).replace("^", "");
    const row = new RegExp(`^\\| \`${name}\` +\\| ${version.replaceAll(".", "\\.")} +\\| \\S`, "m");
    assert(row.test(contributing), `${name} ${version}`);
  }
});

Deno.test("arch: other packages come from JSR, under their own names", () => {
  for (const [name, to] of Object.entries(project.imports)) {
    if (!to.startsWith("npm:")) assert(to.startsWith(`jsr:${name}@`), `${name}: ${to}`);
  }
});

Deno.test("arch: no task runs with all permissions or prompts for one", () => {
  for (const [name, { command = "" }] of TASKS) {
    const others = command.replace("--allow-run=xdg-open,open,explorer", ""); // The one exception.
    assert(!/(^|\s)(-A|--allow-\S+)(?=\s|$)/.test(others), `${name}: ${command}`);
    for (const part of command.split(/&&|;|\|\|/)) {
      if (/\bdeno (run|test)\b/.test(part)) {
        assert(/\s(-P=\w+|--no-prompt)\s/.test(`${part} `), part);
      }
    }
  }
});

Deno.test("arch: tasks use exactly the permission sets that deno.json defines", () => {
  const named = TASKS.flatMap(([, { command = "" }]) =>
    [...command.matchAll(/\s-P=(\w+)/g)].map(([, name]) => name)
  );
  assertEquals([...new Set(named)].sort(), Object.keys(project.permissions).sort());
});

Deno.test("arch: every task has a one-sentence description without a full stop", () => {
  for (const [name, { description = "" }] of TASKS) {
    assert(/^[A-Z].{10,}[^.]$/.test(description), `${name}: ${description}`);
  }
});

Deno.test("arch: the test and bench keys of deno.json set no permissions", () => {
  assertEquals([Object.keys(project.test), "bench" in project], [["include"], false]);
});

/** Variables that the environment sets, not the user. */
const AUTOMATIC: readonly string[] = [
  ...["CI", "TERM", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "INIT_CWD", "NO_COLOR"],
  ...ENGINE_VARIABLES,
  ...PROXY_VARIABLES,
];

/** The variables that `serve` looks up without options. */
function variablesOfServe(): string[] {
  const names: string[] = [];
  const get = (_: unknown, name: string) => void names.push(name);
  parseServeOptions([], new Proxy<Record<string, undefined>>({}, { get }));
  return names.filter((name) => name !== "");
}

const READ_VARIABLES = {
  bench: [
    ...[...OPTIONS.values()].flatMap(({ env }) => env ?? []),
    ...["EXAI_WS_HOST", "EXAI_WS_PORT"],
    ...AUTOMATIC,
  ],
  serve: [...variablesOfServe(), "INIT_CWD", "NO_COLOR"],
};

for (const command of ["bench", "serve"] as const) {
  Deno.test(`arch: ${command} has permission for exactly the variables that it reads`, () => {
    const allowed = [...project.permissions[command].env].sort();
    assertEquals(allowed, [...new Set(READ_VARIABLES[command])].sort());
  });
}

Deno.test("arch: .env.example lists exactly the variables for users, commented out", () => {
  const known = [...project.permissions.bench.env, ...project.permissions.serve.env];
  const expected = [...new Set(known)].filter((name) => !AUTOMATIC.includes(name)).sort();
  const lines = envExample.split(/\r?\n/).filter((line) => line !== "");
  assertEquals(lines.filter((line) => !line.startsWith("#")), []);
  const names = lines.flatMap((line) => /^# ?([A-Z_]+)=/.exec(line)?.[1] ?? []);
  assertEquals(names.sort(), expected);
});
