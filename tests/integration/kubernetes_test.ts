/**
 * The Kubernetes examples are valid by the API's types, and fit each other and the suite.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { loadAll } from "js-yaml";
import project from "../../deno.json" with { type: "json" };
import containerfile from "../../examples/kubernetes/Containerfile" with { type: "text" };
import mergeYaml from "../../examples/kubernetes/merge.yaml" with { type: "text" };
import settingsYaml from "../../examples/kubernetes/settings.yaml" with { type: "text" };
import shardsYaml from "../../examples/kubernetes/shards.yaml" with { type: "text" };
import { readShard } from "../../lib/cli/shard_settings.ts";
import { NEEDS_PROCESSES, PROJECT_FOLDER } from "../support/run_cli.ts";

/** Types generated from the API's published schema. */
const TYPES = "npm:kubernetes-types@1.30.0";
const MODULES: Record<string, string> = { "batch/v1": "batch/v1.d.ts", v1: "core/v1.d.ts" };

// deno-lint-ignore no-explicit-any
type Document = any;

const [shards] = loadAll(shardsYaml) as Document[];
const [merge] = loadAll(mergeYaml) as Document[];
const settings = loadAll(settingsYaml) as Document[];
const [configMap, secret, volumeClaim] = settings;
const ALL: Document[] = [shards, merge, ...settings];

/** Type-checks each document against the API's type of its kind. */
async function checkTypes(docs: Document[]): Promise<{ code: number; stderr: string }> {
  const statements = docs.map((document, index) => {
    const module = MODULES[document.apiVersion];
    return `import type { ${document.kind} as Type${index} } from "${TYPES}/${module}";\n` +
      `export const document${index}: Type${index} = ${JSON.stringify(document, null, 2)};\n`;
  });
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(path, statements.join("\n"));
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "-q", "--config", "deno.json", path],
      cwd: PROJECT_FOLDER,
      env: { NO_COLOR: "1" },
      stdin: "null",
    }).output();
    return { code, stderr: new TextDecoder().decode(stderr) };
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("kubernetes: every field exists in the API and has its type", {
  ignore: NEEDS_PROCESSES,
}, async () => {
  const { code, stderr } = await checkTypes(ALL);
  assertEquals(code, 0, stderr);
});

Deno.test("kubernetes: a field unknown to the API is found", {
  ignore: NEEDS_PROCESSES,
}, async () => {
  const wrong = structuredClone(shards);
  wrong.spec.completionsMode = wrong.spec.completionMode;
  const { code, stderr } = await checkTypes([wrong]);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "completionsMode");
});

Deno.test("kubernetes: the Job runs as many shards as configured, all in parallel", () => {
  const { spec } = shards;
  assertEquals([shards.kind, shards.apiVersion], ["Job", "batch/v1"]);
  assertEquals(spec.completionMode, "Indexed");
  assertEquals(String(spec.completions), configMap.data.BENCH_SHARDS);
  assertEquals(spec.parallelism, spec.completions);
  const option = containerOf(shards).args.find((arg: string) => arg.startsWith("--shard="));
  const auto = { source: "--shard", text: option.slice("--shard=".length) };
  for (let index = 0; index < spec.completions; index++) {
    const place = readShard(auto, {
      env: { ...configMap.data, JOB_COMPLETION_INDEX: String(index) },
    });
    assertEquals(place, { index: index + 1, count: spec.completions });
  }
});

/** The only container of a Job. */
function containerOf(job: Document): Document {
  const { containers, restartPolicy } = job.spec.template.spec;
  assertEquals([containers.length, restartPolicy], [1, "Never"]);
  return containers[0];
}

Deno.test("kubernetes: settings, token and results are where the Jobs look for them", () => {
  const { envFrom } = containerOf(shards);
  assertEquals(envFrom, [
    { configMapRef: { name: configMap.metadata.name } },
    { secretRef: { name: secret.metadata.name } },
  ]);
  const names = [...Object.keys(configMap.data), ...Object.keys(secret.stringData)];
  const known: string[] = project.permissions.bench.env;
  assertEquals(names.filter((name) => !known.includes(name)), []);
  // An empty variable counts as no token.
  assertEquals(secret.stringData, { EXAI_WS_TOKEN: "" });
  for (const job of [shards, merge]) {
    const [volume] = job.spec.template.spec.volumes;
    assertEquals(volume.persistentVolumeClaim.claimName, volumeClaim.metadata.name);
    assertEquals(containerOf(job).volumeMounts, [{ name: volume.name, mountPath: "/results" }]);
  }
  assertEquals(volumeClaim.spec.accessModes, ["ReadWriteMany"]);
});

Deno.test("kubernetes: the merge reads what the shards write", () => {
  assert(containerOf(shards).args.includes("--out=/results"));
  const [script] = containerOf(merge).args;
  assertStringIncludes(
    script,
    "deno task merge /results/shard-*/report.json --out /results/merged",
  );
});

Deno.test("kubernetes: the image holds the whole suite, and both Jobs use it", () => {
  const tag = /-t (\S+) \./.exec(containerfile)?.[1];
  assertEquals([containerOf(shards).image, containerOf(merge).image], [tag, tag]);
  assertStringIncludes(tag!, `:${project.version}`);
  assert(/^FROM denoland\/deno:\d+\.\d+\.\d+$/m.test(containerfile));
  const copied = [...containerfile.matchAll(/^COPY (.+) \S+$/gm)].flatMap(([, from]) =>
    from!.split(" ")
  );
  for (const needed of ["deno.json", "main.ts", "lib", "scenarios"]) {
    assert(copied.includes(needed), `${needed} is not copied`);
  }
});
