/**
 * What deno.json promises, and that it agrees with the options and `.env.example`.
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
import { SERVE_ENVIRONMENT, SERVE_OPTIONS } from "../../lib/cli/serve_command.ts";

const TASKS: [string, { description?: string; command?: string }][] = Object.entries(project.tasks);

Deno.test("arch: every npm package is pinned exactly", () => {
  const npm = Object.entries(project.imports).filter(([, to]) => to.startsWith("npm:"));
  assert(npm.length > 0);
  for (const [name, to] of npm) {
    assert(/^npm:(@[\w-]+\/)?[\w.-]+@\d+\.\d+\.\d+(-[\w.]+)?$/.test(to), `${name}: ${to}`);
  }
});

Deno.test("arch: CONTRIBUTING.md has every dependency, its version, and what it is for", () => {
  for (const [name, to] of Object.entries(project.imports)) {
    const version = to.slice(to.lastIndexOf("@") + 1).replace("^", "");
    const row = new RegExp(`^\\| \`${name}\` +\\| ${version.replaceAll(".", "\\.")} +\\| \\S`, "m");
    assert(row.test(contributing), `${name} ${version}`);
  }
});

Deno.test("arch: other packages come from JSR, and their names are those of the import", () => {
  for (const [name, to] of Object.entries(project.imports)) {
    if (!to.startsWith("npm:")) assert(to.startsWith(`jsr:${name}@`), `${name}: ${to}`);
  }
});

Deno.test("arch: no task runs with every permission, nor asks for one", () => {
  for (const [name, { command = "" }] of TASKS) {
    // But one set may be used with a program by its name beside it.
    const others = command.replace("--allow-run=xdg-open,open,explorer", "");
    assert(!/(^|\s)(-A|--allow-\S+)(?=\s|$)/.test(others), `${name}: ${command}`);
    for (const part of command.split(/&&|;|\|\|/)) {
      // Without a set of permissions there are none, and nobody is asked for any.
      if (/\bdeno (run|test)\b/.test(part)) {
        assert(/\s(-P=\w+|--no-prompt)\s/.test(`${part} `), part);
      }
    }
  }
});

Deno.test("arch: every set of permissions that a task names is there, and every one is named", () => {
  const named = TASKS.flatMap(([, { command = "" }]) =>
    [...command.matchAll(/\s-P=(\w+)/g)].map(([, name]) => name)
  );
  assertEquals([...new Set(named)].sort(), Object.keys(project.permissions).sort());
});

Deno.test("arch: every task has a description, a sentence without a full stop", () => {
  for (const [name, { description = "" }] of TASKS) {
    assert(/^[A-Z].{10,}[^.]$/.test(description), `${name}: ${description}`);
  }
});

Deno.test("arch: a bare `deno test` is not kept from running by permissions of its own", () => {
  assertEquals([Object.keys(project.test), "bench" in project], [["include"], false]);
});

/** Read beside the options' own variables. */
const CI_VARIABLES = ["CI", "TERM", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"];
const BENCH_EXTRAS = [
  ...["EXAI_WS_HOST", "EXAI_WS_PORT", "INIT_CWD"],
  ...CI_VARIABLES,
  ...ENGINE_VARIABLES,
  ...PROXY_VARIABLES,
];
const SERVE_EXTRAS = ["EXAI_WS_PING_INTERVAL", "EXAI_WS_PING_TIMEOUT", "INIT_CWD", "NO_COLOR"];

Deno.test("arch: the variables that bench may read are those of its options", () => {
  const variables = [...OPTIONS.values()].flatMap(({ env }) => env ?? []);
  assertEquals(
    [...project.permissions.bench.env].sort(),
    [...new Set([...variables, ...BENCH_EXTRAS])].sort(),
  );
});

Deno.test("arch: the variables that serve may read are those of its options", () => {
  const variables = [...SERVE_OPTIONS, ...SERVE_ENVIRONMENT].flatMap(({ env }) => env ?? []);
  assertEquals(
    [...project.permissions.serve.env].sort(),
    [...new Set([...variables, ...SERVE_EXTRAS])].sort(),
  );
});

Deno.test("arch: .env.example has every variable of a user's, commented out, and no other", () => {
  const own: string[] = [
    ...["INIT_CWD", "NO_COLOR"],
    ...CI_VARIABLES,
    ...ENGINE_VARIABLES,
    ...PROXY_VARIABLES,
  ];
  const known = [...project.permissions.bench.env, ...project.permissions.serve.env];
  const expected = [...new Set(known)].filter((name) => !own.includes(name)).sort();
  const lines = envExample.split(/\r?\n/).filter((line) => line !== "");
  assertEquals(lines.filter((line) => !line.startsWith("#")), []);
  const names = lines.flatMap((line) => /^# ?([A-Z_]+)=/.exec(line)?.[1] ?? []);
  assertEquals(names.sort(), expected);
});
