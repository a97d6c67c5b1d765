/**
 * Rules about the text of the sources.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { OPTIONS } from "../../lib/cli/options.ts";
import { SCENARIOS } from "../../scenarios/mod.ts";
import { filesUnder } from "../support/project_files.ts";
import { PROJECT_FOLDER } from "../support/run_cli.ts";

/** `deno task test` runs these; a bare `deno test` has no read permission. */
const ignore = Deno.permissions.querySync({ name: "read" }).state !== "granted";

async function read(path: string): Promise<string> {
  return await Deno.readTextFile(PROJECT_FOLDER + path);
}

/** The source without comments, roughly. */
function codeOf(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "");
}

async function offenders(paths: readonly string[], pattern: RegExp): Promise<string[]> {
  const found = await Promise.all(
    paths.map(async (path) => pattern.test(codeOf(await read(path))) ? [path] : []),
  );
  return found.flat().sort();
}

async function programSources(): Promise<string[]> {
  const folders = await Promise.all(["lib", "scenarios"].map(filesUnder));
  return ["main.ts", ...folders.flat()].filter((path) => /\.[jt]sx?$/.test(path));
}

Deno.test(
  "arch: only main.ts uses arguments, streams, signals, exit",
  { ignore },
  async () => {
    const sources = await programSources();
    assert(sources.length > 50);
    const pattern =
      /\bDeno\s*\.\s*(args|exit|exitCode|stdout|stderr|stdin|addSignalListener|chdir)\b|\bprocess\s*\.\s*(argv|exit|exitCode|stdout|stderr|stdin|on)\b/;
    assertEquals(await offenders(sources, pattern), ["main.ts"]);
  },
);

Deno.test("arch: only main.ts reads the environment", { ignore }, async () => {
  const sources = await programSources();
  assertEquals(await offenders(sources, /\bDeno\s*\.\s*env\b|\bprocess\s*\.\s*env\b/), ["main.ts"]);
});

Deno.test("arch: nothing in the program writes to the console", { ignore }, async () => {
  assertEquals(await offenders(await programSources(), /\bconsole\s*\??\.|\balert\(/), []);
});

Deno.test(
  "arch: exports are named, files in snake_case, none called utils",
  { ignore },
  async () => {
    const sources = await programSources();
    assertEquals(await offenders(sources, /^export default\b/m), []);
    const names = sources.map((path) => path.split("/").at(-1)!);
    assertEquals(names.filter((name) => !/^[a-z0-9_]+(\.d)?\.[jt]s$/.test(name)), []);
    assertEquals(names.filter((name) => /^utils?\./.test(name)), []);
  },
);

/** These sections name the scenarios that the phase document asks about. */
const PHASE_DOCUMENT = [
  "lib/report/sections/first_screen.ts",
  "lib/report/sections/key_numbers.ts",
];

Deno.test("arch: only scenarios/ names scenarios", { ignore }, async () => {
  const names = SCENARIOS.map(({ name }) => name);
  const quoted = (words: readonly string[]) => new RegExp(`["'\`](${words.join("|")})["'\`]`);
  const sources = (await programSources()).filter((path) => !path.startsWith("scenarios/"));
  const isCli = (path: string) => path.startsWith("lib/cli/");
  // Some options are named like scenarios.
  const inCli = names.filter((name) => !OPTIONS.has(name));
  assertEquals(
    await offenders(sources.filter((path) => !isCli(path)), quoted(names)),
    PHASE_DOCUMENT,
  );
  assertEquals(await offenders(sources.filter(isCli), quoted(inCli)), []);
});

Deno.test("arch: no file names the host of a package registry", { ignore }, async () => {
  const hosts = [
    ["registry", "npmjs", "org"],
    ["registry", "yarnpkg", "com"],
    ["npm", "jsr", "io"],
    ["jsr", "io"],
    ["deno", "land"],
    ["esm", "sh"],
    ["unpkg", "com"],
    ["cdn", "jsdelivr", "net"],
    ["cdn", "skypack", "dev"],
  ].map((parts) => parts.join("."));
  const paths = await filesUnder("");
  assert(paths.length > 100);
  const found = await Promise.all(paths.map(async (path) => {
    const text = await read(path);
    return hosts.filter((host) => text.includes(host)).map((host) => `${path}: ${host}`);
  }));
  assertEquals(found.flat(), []);
});
