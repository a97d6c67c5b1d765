/**
 * Imports point one way: the table below has every edge between our folders. Changing the table
 * changes the design.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { runCommand } from "../support/commands.ts";
import { filesUnder } from "../support/project_files.ts";
import { NEEDS_PROCESSES } from "../support/run_cli.ts";

const PROJECT = new URL("../../", import.meta.url);

/** Which of our folders each folder imports from, including type imports. */
const EDGES: Record<string, string[]> = {
  "lib/calibrate": [
    "lib/client",
    "lib/load",
    "lib/protocols",
    "lib/report",
    "lib/run",
    "lib/schema.ts",
    "lib/server",
    "lib/stats",
  ],
  "lib/cli": [
    "lib/calibrate",
    "lib/client",
    "lib/load",
    "lib/protocols",
    "lib/report",
    "lib/run",
    "lib/schema.ts",
    "lib/server",
    "lib/split",
    "lib/start_worker.ts",
    "lib/stats",
  ],
  "lib/client": ["lib/protocols", "lib/schema.ts", "lib/start_worker.ts"],
  "lib/load": ["lib/client", "lib/schema.ts", "lib/start_worker.ts", "lib/stats"],
  "lib/protocols": ["lib/schema.ts"],
  "lib/report": ["lib/schema.ts", "lib/stats"],
  "lib/run": [
    "lib/client",
    "lib/load",
    "lib/protocols",
    "lib/schema.ts",
    "lib/server",
    "lib/stats",
  ],
  "lib/server": ["lib/start_worker.ts"],
  "lib/split": [
    "lib/load",
    "lib/run",
    "lib/schema.ts",
    "lib/start_worker.ts",
    "lib/stats",
  ],
  "lib/stats": ["lib/schema.ts"],
  "main.ts": ["lib/cli", "lib/report", "lib/run", "lib/start_worker.ts", "lib/stats", "scenarios"],
  "scenarios": [
    "lib/client",
    "lib/load",
    "lib/protocols",
    "lib/run",
    "lib/schema.ts",
    "lib/server",
    "lib/stats",
  ],
  "scenarios/worker.ts": ["lib/split", "scenarios"],
};

interface Edge {
  from: string;
  to: string;
}

/** Every import of the program's modules; our own files are paths from the project's folder. */
async function readImports(): Promise<Edge[]> {
  const { modules } = await readGraph();
  const edges = modules.flatMap(({ specifier, dependencies = [] }) =>
    dependencies.flatMap(({ code, type }) =>
      [code?.specifier, type?.specifier].flatMap((to) =>
        to === undefined ? [] : [{ from: pathOf(specifier), to: pathOf(to) }]
      )
    )
  );
  return edges.filter(({ from }) => !from.includes(":") && !from.startsWith("lib/std/"));
}

interface Graph {
  modules: {
    specifier: string;
    error?: string;
    dependencies?: { code?: { specifier?: string }; type?: { specifier?: string } }[];
  }[];
}

/** The graph of all modules, including those that only a worker loads. */
async function readGraph(): Promise<Graph> {
  const all = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    const paths = ["main.ts", ...await filesUnder("lib"), ...await filesUnder("scenarios")];
    const imports = paths.filter(isOurs).map((path) => `import "${PROJECT.href}${path}";\n`);
    await Deno.writeTextFile(all, imports.join(""));
    const args = ["info", "-q", "--json", "--config", "deno.json", all];
    const { code, stdout, stderr } = await runCommand(Deno.execPath(), args);
    assertEquals(code, 0, stderr);
    const graph: Graph = JSON.parse(stdout);
    assertEquals(graph.modules.filter(({ error }) => error !== undefined), []);
    return graph;
  } finally {
    await Deno.remove(all);
  }
}

function pathOf(specifier: string): string {
  return specifier.startsWith(PROJECT.href) ? specifier.slice(PROJECT.href.length) : specifier;
}

/** The entry points of threads; each counts as its own folder. */
const ENTRIES = ["main.ts", "scenarios/worker.ts"];

/** `lib/run` for `lib/run/bench.ts`, `scenarios` for `scenarios/mod.ts`, `main.ts` for itself. */
function folderOf(path: string): string {
  if (ENTRIES.includes(path)) return path;
  const parts = path.split("/");
  return parts.slice(0, parts[0] === "lib" ? 2 : 1).join("/");
}

/** False for packages, the stand-ins for @std, and data. */
function isOurs(path: string): boolean {
  return !path.includes(":") && !path.startsWith("lib/std/") && path.endsWith(".ts");
}

Deno.test("arch: folders import each other as the table says", {
  ignore: NEEDS_PROCESSES,
}, async () => {
  const found: Record<string, Set<string>> = {};
  for (const { from, to } of await readImports()) {
    if (!isOurs(to)) continue;
    const folder = found[folderOf(from)] ??= new Set();
    if (folderOf(from) !== folderOf(to)) folder.add(folderOf(to));
  }
  const edges = Object.fromEntries(
    Object.entries(found).map(([from, to]) => [from, [...to].sort()]),
  );
  assertEquals(edges, EDGES);
});

Deno.test("arch: no file is in an import cycle, type imports included", {
  ignore: NEEDS_PROCESSES,
}, async () => {
  const imports = Map.groupBy(
    (await readImports()).filter(({ from, to }) => isOurs(from) && isOurs(to)),
    ({ from }) => from,
  );
  const done = new Set<string>();
  const path: string[] = [];
  const cycles: string[][] = [];
  const visit = (file: string) => {
    const place = path.indexOf(file);
    if (place >= 0) return void cycles.push(path.slice(place));
    if (done.has(file)) return;
    path.push(file);
    for (const { to } of imports.get(file) ?? []) visit(to);
    path.pop();
    done.add(file);
  };
  assert(imports.size > 100);
  for (const file of imports.keys()) visit(file);
  assertEquals(cycles, []);
});

Deno.test("arch: no module imports what it must not", { ignore: NEEDS_PROCESSES }, async () => {
  const imports = await readImports();
  const offences = (rule: (edge: Edge) => boolean) => imports.filter(rule);
  const within = (path: string, folder: string) => path.startsWith(`${folder}/`);
  assert(imports.length > 100);
  for (const pure of ["lib/report", "lib/stats"]) {
    assertEquals(offences(({ from, to }) => within(from, pure) && within(to, "lib/client")), []);
  }
  assertEquals(offences(({ from, to }) => within(from, "lib") && within(to, "scenarios")), []);
  assertEquals(offences(({ to }) => to === "main.ts"), []);
  assertEquals(offences(({ to }) => within(to, "tests")), []);
  assertEquals(offences(({ from, to }) => from === "lib/schema.ts" && isOurs(to)), []);
  const scenario = (path: string) => within(path, "scenarios");
  assertEquals(offences(({ from, to }) => scenario(from) && within(to, "lib/report")), []);
  // A scenario is one file or one folder, and imports no other scenario.
  const own = (path: string) => path.split("/").slice(0, 2).join("/");
  assertEquals(
    offences(({ from, to }) =>
      scenario(from) && scenario(to) && own(from) !== own(to) &&
      !["scenarios/mod.ts", ...ENTRIES].includes(from)
    ),
    [],
  );
});

Deno.test(
  "arch: only sampling and plots import mitata",
  { ignore: NEEDS_PROCESSES },
  async () => {
    const importers = (await readImports()).filter(({ to }) => /^npm:\/?mitata\b/.test(to));
    const allowed = ["lib/stats/sampling.ts", "lib/stats/terminal_plots.ts"];
    assert(importers.length > 0);
    assertEquals(importers.filter(({ from }) => !allowed.includes(from)), []);
  },
);
