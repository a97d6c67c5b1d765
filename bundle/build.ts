/**
 * `deno task bundle`: the program in one file, with and without the chart library.
 *
 * @module
 */

import { resolve } from "node:path";
import { stripVTControlCharacters } from "node:util";
import project from "../deno.json" with { type: "json" };

const ROOT = new URL("../", import.meta.url);
/** Modules that mitata imports in other runtimes only. */
const EXTERNAL = ["@mitata/counters", "bun:jsc"];
const FORMS = {
  "exai-ws-bench.js": {},
  "exai-ws-bench-no-charts.js": {
    [new URL("lib/report/charts/mod.ts", ROOT).href]: new URL("bundle/no_charts.ts", ROOT).href,
  },
};

/** The imports of deno.json as an import map, which also needs an entry for a package's modules. */
const IMPORTS = Object.fromEntries(
  Object.entries(project.imports).flatMap(([name, to]) => [
    [name, to],
    [`${name}/`, `${to.replace(/^\w+:/, "$&/")}/`],
  ]),
);

/**
 * Writes both files to a folder. Returns their paths.
 *
 * @throws {Error} If Deno's bundler fails; the message is its stderr output.
 */
export async function build(folder: string): Promise<string[]> {
  await Deno.mkdir(folder, { recursive: true });
  const paths: string[] = [];
  // One after the other: with an empty cache, two bundlers that fetch esbuild at once can fail.
  for (const [name, replaced] of Object.entries(FORMS)) {
    const path = `${folder}/${name}`;
    const map = `${path}.imports.json`;
    await Deno.writeTextFile(map, JSON.stringify({ imports: { ...IMPORTS, ...replaced } }));
    try {
      const { success, stderr } = await new Deno.Command(Deno.execPath(), {
        args: [
          ...["bundle", "-q", "--import-map", resolve(map), "-o", resolve(path)],
          ...EXTERNAL.map((module) => `--external=${module}`),
          "bundle/entry.ts",
        ],
        cwd: ROOT,
        stdin: "null",
      }).output();
      if (!success) throw new Error(new TextDecoder().decode(stderr));
    } finally {
      await Deno.remove(map);
    }
    const text = withoutMachinePaths(await Deno.readTextFile(path));
    await Deno.writeTextFile(path, headOf(text) + text);
    paths.push(path);
  }
  return paths;
}

/** The first lines: the interpreter, the licence and the packages included. */
function headOf(text: string): string {
  const packages = Object.entries(project.imports)
    .filter(([name]) => text.includes(`// npm:${name}/`)).map(([, to]) => to);
  return `#!/usr/bin/env -S deno run -A
// exai-ws-bench ${project.version}, ${project.license} licence. With the following, each under its own licence:
// ${packages.join(", ")}
`;
}

/** The bundler names modules by their paths on this machine. */
function withoutMachinePaths(text: string): string {
  return text.replaceAll(/[^\s"]*\/registry\.npmjs\.org\/(?=[^\s"]+["\n])/g, "npm:");
}

/** Writes the npm package to a folder, for `npm pack`. Its bin starts the bundle with Deno. */
export async function packageForNpm(file: string, folder: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  const files = {
    "exai-ws-bench.js": file,
    "start.mjs": new URL("start.mjs", import.meta.url),
    ...Object.fromEntries(
      ["README.md", "LICENSE", "CHANGELOG.md"].map((name) => [name, new URL(name, ROOT)]),
    ),
  };
  for (const [name, from] of Object.entries(files)) await Deno.copyFile(from, `${folder}/${name}`);
  const { version, license } = project;
  const manifest = {
    ...{ name: "exai-ws-bench", version, license, type: "module" },
    description: "A benchmark for servers that answer JSON requests over a WebSocket",
    keywords: ["websocket", "benchmark", "json", "mcp", "deno"],
    bin: { "exai-ws-bench": "start.mjs" },
    files: Object.keys(files),
    engines: { node: ">=20" },
  };
  await Deno.writeTextFile(`${folder}/package.json`, JSON.stringify(manifest, null, 2) + "\n");
}

async function main(): Promise<void> {
  const paths = await build("dist");
  await packageForNpm(paths[0]!, "dist/npm");
  for (const path of paths) {
    const { size } = await Deno.stat(path);
    // deno-lint-ignore no-console
    console.log(`${path}  ${(size / 1e6).toFixed(1)} MB`);
  }
}

if (import.meta.main) {
  await main().catch(({ message }: Error) => {
    const text = stripVTControlCharacters(message).trim();
    const cause = text.replace(/^error: /, "").replace(/\n\s*Stack backtrace:.*$/s, "");
    // deno-lint-ignore no-console
    console.error(`error: Cannot build the bundle: ${cause.replace(/\s+/g, " ")}`);
    Deno.exit(1);
  });
}
