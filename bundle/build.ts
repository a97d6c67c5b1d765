/**
 * `deno task bundle`: the program in one file, and once more without the drawing library.
 *
 * @module
 */

import project from "../deno.json" with { type: "json" };

const ROOT = new URL("../", import.meta.url);
/** What mitata looks for in other runtimes. */
const NOT_HERE = ["@mitata/counters", "bun:jsc"];
const FORMS = {
  "exai-ws-bench.js": {},
  "exai-ws-bench-no-charts.js": {
    [new URL("lib/report/charts/mod.ts", ROOT).href]: new URL("bundle/no_charts.ts", ROOT).href,
  },
};

/** The imports of deno.json as an import map has them: the modules within a package are named too. */
const IMPORTS = Object.fromEntries(
  Object.entries(project.imports).flatMap(([name, to]) => [
    [name, to],
    [`${name}/`, `${to.replace(/^\w+:/, "$&/")}/`],
  ]),
);

/**
 * Writes both forms into a folder, and gives their paths.
 *
 * @throws {Error} if Deno's bundler fails; the message is what it wrote
 */
export async function build(folder: string): Promise<string[]> {
  await Deno.mkdir(folder, { recursive: true });
  return await Promise.all(
    Object.entries(FORMS).map(async ([name, replaced]) => {
      const path = `${folder}/${name}`;
      const map = `${path}.imports.json`;
      await Deno.writeTextFile(
        map,
        JSON.stringify({ imports: { ...IMPORTS, ...replaced } }),
      );
      try {
        const { success, stderr } = await new Deno.Command(Deno.execPath(), {
          args: [
            ...["bundle", "-q", "--import-map", map, "-o", path],
            ...NOT_HERE.map((module) => `--external=${module}`),
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
      return path;
    }),
  );
}

/** The first lines: how it is run where files can be, and what is in it. */
function headOf(text: string): string {
  const packages = Object.entries(project.imports)
    .filter(([name]) => text.includes(`// npm:${name}/`)).map(([, to]) => to);
  return `#!/usr/bin/env -S deno run -A
// exai-ws-bench ${project.version}, ${project.license} licence. With the following, each under its own licence:
// ${packages.join(", ")}
`;
}

/** The bundler names modules by where they are on this machine. */
function withoutMachinePaths(text: string): string {
  return text.replaceAll(/[^\s"]*\/registry\.npmjs\.org\/(?=[^\s"]+["\n])/g, "npm:");
}

if (import.meta.main) {
  for (const path of await build("dist")) {
    const { size } = await Deno.stat(path);
    // deno-lint-ignore no-console
    console.log(`${path}  ${(size / 1e6).toFixed(1)} MB`);
  }
}
