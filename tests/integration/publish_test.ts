/**
 * What would be published: the package of JSR, that of npm, and the image of a container.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { load } from "js-yaml";
import project from "../../deno.json" with { type: "json" };
import workflow from "../../.github/workflows/publish.yml" with { type: "text" };
import { build, packageForNpm } from "../../bundle/build.ts";
import { makeUserFolder, NEEDS_PROCESSES, PROJECT_FOLDER } from "../support/run_cli.ts";

const options = { ignore: NEEDS_PROCESSES || Deno.build.os === "windows" };

async function run(command: string, args: readonly string[], more: Deno.CommandOptions = {}) {
  const { code, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    cwd: PROJECT_FOLDER,
    stdin: "null",
    ...more,
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

function has(command: string, argument = "--version"): boolean {
  try {
    return new Deno.Command(command, { args: [argument], stdout: "null", stderr: "null" })
      .outputSync().success;
  } catch {
    return false;
  }
}

Deno.test("publish: the package of JSR is whole, and has no slow types", options, async () => {
  const args = ["publish", "--dry-run", "--allow-dirty", "--no-check"];
  const { code, stderr } = await run(Deno.execPath(), args, { env: { NO_COLOR: "1" } });
  assertEquals(code, 0, stderr);
  assert(!/slow-type|warning/i.test(stderr), stderr);
  const files = stderr.match(/file:\S+/g)!.map((file) => file.split("/").slice(3).join("/"));
  for (const file of ["main.ts", "LICENSE", "deno.json"]) {
    assert(files.some((path) => path.endsWith(`/${file}`)), file);
  }
  assertEquals(files.filter((path) => /\/(tests|dist|\.\w+)\//.test(path)), []);
});

Deno.test("publish: npm's package starts Deno, or says how to get it", {
  ignore: options.ignore || !has("npm"),
}, async () => {
  await using folder = await makeUserFolder();
  const [file] = await build(folder.path, ["exai-ws-bench.js"]);
  await packageForNpm(file!, `${folder.path}/npm`);
  const packed = await run("npm", [
    "pack",
    `${folder.path}/npm`,
    "--pack-destination",
    folder.path,
  ]);
  assertEquals(packed.code, 0, packed.stderr);
  const archive = `${folder.path}/exai-ws-bench-${project.version}.tgz`;
  assertEquals((await run("tar", ["-xzf", archive, "-C", folder.path])).code, 0);
  const node = (await run("sh", ["-c", "command -v node"])).stdout.trim();
  const start = (PATH: string) =>
    run(node, [`${folder.path}/package/start.mjs`, "--version"], { env: { PATH } });
  const deno = Deno.execPath().split("/").slice(0, -1).join("/");
  assertEquals(await start(`${deno}:${Deno.env.get("PATH")}`), {
    ...{ code: 0, stdout: `${project.version}\n`, stderr: "" },
  });
  const without = await start(folder.path);
  assertEquals([without.code, without.stdout], [2, ""]);
  assertStringIncludes(without.stderr, "Deno is not installed");
  assertStringIncludes(without.stderr, "npm install --global deno");
});

Deno.test("publish: the workflow runs on a tag, and only what is there", () => {
  const { on, jobs } = load(workflow) as {
    on: { push: { tags: string[] } };
    jobs: { publish: { steps: { run?: string }[] } };
  };
  assertEquals(on.push.tags, ["v*"]);
  const runs = jobs.publish.steps.flatMap(({ run }) => run ?? []);
  const tasks = runs.flatMap((line) => /^deno task (\w+)$/.exec(line)?.[1] ?? []);
  assertEquals(tasks.filter((task) => !(task in project.tasks)), []);
  const order = ["deno task bundle", "deno publish", "npm publish ./dist/npm --access public"];
  assertEquals(runs.filter((line) => order.includes(line)), order);
});

const engine = options.ignore ? undefined : ["docker", "podman"].find((name) => has(name, "info"));

Deno.test("publish: the image is built, and starts", { ignore: engine === undefined }, async () => {
  const image = "exai-ws-bench-test";
  const built = await run(engine!, ["build", "-q", "-f", "Containerfile", "-t", image, "."]);
  assertEquals(built.code, 0, built.stderr);
  const { code, stdout } = await run(engine!, ["run", "--rm", image, "--version"]);
  assertEquals([code, stdout], [0, `${project.version}\n`]);
});
