/**
 * Number of epochs: `--epochs`, `--warmup`, `--precision`, `--max-time`.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { makeUserFolder, NEEDS_PROCESSES, runCli } from "../support/run_cli.ts";

const options = { ignore: NEEDS_PROCESSES };
const RUN = ["--profile", "quick", "--scenarios", "message-throughput", "--duration", "0.02"];

async function run(...args: string[]) {
  await using folder = await makeUserFolder();
  const { code, stdout, stderr } = await runCli([...RUN, "--format", "json", ...args], {
    folder: folder.path,
  });
  assertEquals(code, 0, stdout + stderr);
  const { epochs, scenarios: [scenario], startedAt, finishedAt } = await folder.report();
  const latency = scenario!.metrics.find(({ name }) => name === "latency")!;
  return {
    epochs,
    tookMs: Date.parse(finishedAt) - Date.parse(startedAt),
    scenario: scenario!,
    latency,
    announced: stderr.split("\n").filter((line) => line.startsWith("[")),
  };
}

Deno.test("cli: a warm-up epoch comes before the requested epochs", options, async () => {
  const { epochs, scenario, latency, announced } = await run("--epochs", "2");
  assertEquals(announced, ["[warm-up]", "[epoch 1/2]", "[epoch 2/2]"]);
  assertEquals([epochs, latency.epochs.length, scenario.measured!.epochs.length], [2, 2, 2]);
  assert(scenario.warmupLedger.ok > 0);
});

Deno.test("cli: --warmup 0 skips the warm-up epoch", options, async () => {
  const { epochs, announced } = await run("--epochs", "1", "--warmup", "0");
  assertEquals([epochs, announced], [1, ["[epoch 1/1]"]]);
});

Deno.test("cli: --precision continues beyond 6 epochs until --max-time", options, async () => {
  const never = await run("--precision", "0.0001", "--max-time", "2", "--warmup", "0");
  assert(never.epochs >= 6 && never.epochs < 200, `${never.epochs} epochs`);
  assert(never.tookMs >= 1_900, `it took ${never.tookMs} ms`);
  assertEquals(never.latency.epochs.length, never.epochs);
  // 100 % is met by the first six epochs, or a few more.
  const soon = await run("--precision", "100", "--max-time", "60", "--warmup", "0");
  assert(soon.epochs >= 6 && soon.tookMs < 60_000, `${soon.epochs} epochs, ${soon.tookMs} ms`);
});
