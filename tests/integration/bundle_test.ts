/**
 * The single-file bundle in an empty folder, with nothing in Deno's cache.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import entry from "../../bundle/entry.ts" with { type: "text" };
import project from "../../deno.json" with { type: "json" };
import { build, packageForNpm } from "../../bundle/build.ts";
import { hasCommand, runCommand } from "../support/commands.ts";
import {
  makeUserFolder,
  NEEDS_PROCESSES,
  PROJECT_FOLDER,
  startCli,
  type UserFolder,
} from "../support/run_cli.ts";

/** One epoch of a few calls. */
const SHORT = [
  ...["--profile", "quick", "--epochs", "1", "--messages", "5", "--warmup", "0", "--timeout", "30"],
  ...["--unit-baseline", "1000"],
];
/** Together they start every kind of worker. */
const EVERY_WORKER = ["--scenarios", "open-loop,overhead-breakdown", "--rate", "50"];

Deno.test("bundle: contains every module that is started as a worker", {
  ignore: NEEDS_PROCESSES,
}, async () => {
  const sources = await readSources();
  const started = sources.flatMap((text) =>
    [...text.matchAll(/new URL\(\s*["`](?:[^"`?]*\/)?(\w*worker\.ts)/g)].map(([, name]) => name)
  );
  const known = [...entry.matchAll(/^ {2}"(\w+\.ts)": \(\) => import/gm)].map(([, name]) => name);
  assert(known.length > 4);
  assertEquals([...new Set(started)].sort(), known.sort());
  assertEquals(sources.filter((text) => text.includes("new Worker(")).length, 1);
});

Deno.test("bundle: measures, serves, compares, merges and reports on its own", {
  ignore: NEEDS_PROCESSES,
}, async (t) => {
  await using folder = await makeUserFolder();
  const [file, withoutCharts] = await build(folder.path);
  const run = runIn(folder);

  await t.step("prints its version and the permissions of each command", async () => {
    const [version, permissions, help] = await Promise.all(
      [["--version"], ["--permissions"], ["merge", "--help"]].map((args) => run(file!, args)),
    );
    assertEquals(version, { code: 0, stdout: `${project.version}\n`, stderr: "" });
    for (const name of ["bench", "ab", "serve", "report", "compare", "merge", "calibrate"]) {
      assertStringIncludes(permissions!.stdout, `${name}:\n  deno run --no-prompt --allow-`);
    }
    assertMatch(help!.stdout, /^Usage: deno run -A exai-ws-bench\.js merge /);
  });

  await t.step({
    name: "as an npm package starts Deno, or says how to get it",
    ignore: Deno.build.os === "windows" || NEEDS_PROCESSES || !hasCommand("npm"),
    fn: () => startAsPackage(file!, folder.path),
  });

  await t.step("measures its own server on two workers, with charts", async () => {
    const { code, stderr } = await run(file!, [...SHORT, ...EVERY_WORKER, "--workers", "2"]);
    assertEquals([code, stderr.includes("died")], [0, false], stderr);
    const report = await folder.report();
    assertEquals(report.merged?.parts.length, 2);
    assertEquals(report.suite.commit, null);
    assertEquals(report.command.slice(0, 4), ["deno", "run", "-A", "exai-ws-bench.js"]);
    assertStringIncludes(await pageOf(folder, "reports"), "<svg");
  });

  await t.step("serves; merges shards measured on it; rewrites the pages", async () => {
    const env = { EXAI_WS_TOKEN: "bundle-test-token" };
    const serve = [file!, "serve", "--port", "0", "--limits", "off"];
    await using server = start(folder, serve, env);
    const [url] = await server.waitFor("stdout", /ws:\/\/\S+:\d+(?=\s)/);
    const load = [...SHORT, "--scenarios", "concurrent-connections", "--url", url];
    await Promise.all(["1/2", "2/2"].map(async (shard) => {
      const { code, stderr } = await run(file!, [...load, "--out", "s", "--shard", shard], env);
      assertEquals(code, 0, stderr);
    }));
    const shards = ["s/shard-1-of-2/report.json", "s/shard-2-of-2/report.json"];
    const merged = await run(file!, ["merge", ...shards, "--out", "merged"], env);
    assertEquals(merged.code, 0, merged.stderr);
    const again = await run(withoutCharts!, ["report", "merged/report.json", "--out", "again"]);
    assertEquals(again.code, 0, again.stderr);
    const page = await pageOf(folder, "again");
    assertEquals([page.includes("<table"), page.includes("<svg")], [true, false]);
  });

  await t.step("compares two servers that it starts", async () => {
    const serve = `"${Deno.execPath()}" run -A --cached-only "${file}" serve --port {port}`;
    const { code, stderr } = await run(file!, [
      ...["ab", "--start-a", serve, "--start-b", serve, "--epochs", "1", "--messages", "5"],
      ...["--scenarios", "message-throughput", "--out", "ab", "--band", "100"],
    ]);
    assertEquals(code, 0, stderr);
    assertEquals((await folder.report("ab")).command[4], "ab");
  });
});

Deno.test("bundle: a build that fails ends in one line, and leaves no temporary files", {
  ignore: NEEDS_PROCESSES,
}, async () => {
  await using folder = await makeUserFolder();
  const script = `${PROJECT_FOLDER}bundle/build.ts`;
  // The bundler cannot fetch esbuild.
  const env = { DENO_DIR: `${folder.path}/deno`, NPM_CONFIG_REGISTRY: "http://127.0.0.1:1" };
  const build = ["run", "-q", "-A", script];
  const { code, stderr } = await runCommand(Deno.execPath(), build, { cwd: folder.path, env });
  assertEquals(code, 1, stderr);
  assertMatch(stderr, /^error: Cannot build the bundle: [^\n]+\n$/);
  assert(!stderr.includes("Stack backtrace"), stderr);
  assertEquals(await Array.fromAsync(Deno.readDir(`${folder.path}/dist`)), []);
});

async function startAsPackage(file: string, folder: string): Promise<void> {
  await packageForNpm(file, `${folder}/npm`);
  const packing = ["pack", `${folder}/npm`, "--pack-destination", folder];
  const packed = await runCommand("npm", packing);
  assertEquals(packed.code, 0, packed.stderr);
  const archive = `${folder}/exai-ws-bench-${project.version}.tgz`;
  assertEquals((await runCommand("tar", ["-xzf", archive, "-C", folder])).code, 0);
  const node = (await runCommand("sh", ["-c", "command -v node"])).stdout.trim();
  const start = (PATH: string) =>
    runCommand(node, [`${folder}/package/start.mjs`, "--version"], { env: { PATH } });
  const deno = Deno.execPath().split("/").slice(0, -1).join("/");
  assertEquals(await start(`${deno}:${Deno.env.get("PATH")}`), {
    ...{ code: 0, stdout: `${project.version}\n`, stderr: "" },
  });
  const without = await start(`${folder}/npm`);
  assertEquals([without.code, without.stdout], [2, ""]);
  assertStringIncludes(without.stderr, "Deno is not installed");
  assertStringIncludes(without.stderr, "npm install --global deno");
}

/** Starts a bundle out of reach of the project and of Deno's cache. */
function start(folder: UserFolder, args: readonly string[], env: Record<string, string> = {}) {
  return startCli([...args], {
    folder: folder.path,
    project: folder.path,
    via: "bundle",
    env: { ...env, DENO_DIR: `${folder.path}/deno` },
  });
}

function runIn(folder: UserFolder) {
  return async (file: string, args: readonly string[], env: Record<string, string> = {}) => {
    await using running = start(folder, [file, ...args], env);
    return await running.result;
  };
}

async function pageOf(folder: UserFolder, name: string): Promise<string> {
  return await Deno.readTextFile(`${folder.path}/${name}/report.html`);
}

/** The text of each module of the program. */
async function readSources(folder = new URL("../../", import.meta.url)): Promise<string[]> {
  const inside = ["lib/", "scenarios/", "main.ts"].map((path) => new URL(path, folder));
  const read = async (url: URL): Promise<string[]> => {
    if (!url.pathname.endsWith("/")) return [await Deno.readTextFile(url)];
    const entries = await Array.fromAsync(Deno.readDir(url));
    const modules = entries.filter(({ name, isDirectory }) => isDirectory || name.endsWith(".ts"));
    const texts = modules.map(({ name, isDirectory }) =>
      read(new URL(isDirectory ? `${name}/` : name, url))
    );
    return (await Promise.all(texts)).flat();
  };
  return (await Promise.all(inside.map(read))).flat();
}
