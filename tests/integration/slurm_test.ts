/**
 * The example of docs/scale-out.md on a real Slurm: an array job of four shards, and their merge.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { makeUserFolder, PROJECT_FOLDER } from "../support/run_cli.ts";
import { countedCalls, startReference } from "../support/run_scenarios.ts";
import { slurmObstacle, startSlurm } from "../support/slurm_cluster.ts";
import { expectedOfParts } from "../support/split_runs.ts";
import { TOKEN } from "../support/targets.ts";

const SHARDS = 4;
const RATE_PER_SECOND = 400;
const EPOCHS = 3;
const EPOCH_SECONDS = 1;
const OPTIONS = [
  ...["--profile", "quick", "--scenarios", "open-loop", "--warmup", "0"],
  ...["--connections", String(SHARDS), "--rate", String(RATE_PER_SECOND)],
  ...["--epochs", String(EPOCHS), "--duration", String(EPOCH_SECONDS), "--ignore-limits"],
];

const obstacle = slurmObstacle();

Deno.test({
  name: `slurm: an array job of 4 shards and its merge${
    obstacle === null ? "" : ` (skipped: ${obstacle})`
  }`,
  ignore: obstacle !== null,
  async fn() {
    await using server = await startReference();
    await using folder = await makeUserFolder();
    await using cluster = await startSlurm();
    const submitted = await cluster.run(`${PROJECT_FOLDER}examples/slurm/submit`, OPTIONS, {
      EXAI_WS_URL: server.url,
      EXAI_WS_TOKEN: TOKEN,
      BENCH_OUT: `${folder.path}/out`,
      BENCH_PROJECT: PROJECT_FOLDER,
      SBATCH_OUTPUT: `${folder.path}/job-%j.txt`,
      DENO: Deno.execPath(),
      SHARDS: String(SHARDS),
      START_IN: "12",
    });
    assert(/^shards \d+, merge \d+\n$/.test(submitted), submitted);
    await cluster.idle();
    const logs = [...(await folder.files()).entries()].filter(([name]) => name.startsWith("job-"));
    const shown = logs.map(([name, text]) => `${name}:\n${text}`).join("\n");
    const report = await folder.report("out/merged").catch((error: Error) => {
      throw new Error(`${error.message}\n${shown}`);
    });
    assertEquals(report.verdict, { status: "passed", exitCode: 0, reasons: [] }, shown);
    const parts = report.merged!.parts;
    assertEquals(parts.map(({ index }) => index), [1, 2, 3, 4]);
    // The whole schedule was sent, each shard a quarter.
    const slots = RATE_PER_SECOND * EPOCH_SECONDS * EPOCHS;
    const [scenario] = report.scenarios;
    assertEquals(scenario!.ledger.sent, slots);
    assertEquals(
      parts.map(({ scenarios: [one] }) => one!.sent),
      Array(SHARDS).fill(slots / SHARDS),
    );
    assertEquals(countedCalls(server.stats()), expectedOfParts(report, SHARDS));
  },
});
