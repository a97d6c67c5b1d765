/**
 * The JSR package and the container image. bundle_test.ts covers the npm package.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { load } from "js-yaml";
import project from "../../deno.json" with { type: "json" };
import workflow from "../../.github/workflows/publish.yml" with { type: "text" };
import { hasCommand, runCommand } from "../support/commands.ts";
import { NEEDS_PROCESSES } from "../support/run_cli.ts";

const options = { ignore: NEEDS_PROCESSES || Deno.build.os === "windows" };

Deno.test("publish: the JSR package is complete and has no slow types", options, async () => {
  const args = ["publish", "--dry-run", "--allow-dirty", "--no-check"];
  const { code, stderr } = await runCommand(Deno.execPath(), args, { env: { NO_COLOR: "1" } });
  assertEquals(code, 0, stderr);
  assert(!/slow-type|warning/i.test(stderr), stderr);
  const files = stderr.match(/file:\S+/g)!.map((file) => file.split("/").slice(3).join("/"));
  for (const file of ["main.ts", "LICENSE", "deno.json"]) {
    assert(files.some((path) => path.endsWith(`/${file}`)), file);
  }
  assertEquals(files.filter((path) => /\/(tests|dist|\.\w+)\//.test(path)), []);
});

Deno.test("publish: the workflow runs on a tag, and its tasks exist", () => {
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

const engine = options.ignore
  ? undefined
  : ["docker", "podman"].find((name) => hasCommand(name, "info"));

Deno.test("publish: the image builds and starts", { ignore: engine === undefined }, async () => {
  const image = "exai-ws-bench-test";
  const built = await runCommand(engine!, ["build", "-q", "-f", "Containerfile", "-t", image, "."]);
  assertEquals(built.code, 0, built.stderr);
  const { code, stdout } = await runCommand(engine!, ["run", "--rm", image, "--version"]);
  assertEquals([code, stdout], [0, `${project.version}\n`]);
});
