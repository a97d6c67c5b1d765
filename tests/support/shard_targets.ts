/**
 * Holds four shards against what they must reach together: 1,000 calls a second each, on one server.
 * `deno run -q -P=test tests/support/shard_targets.ts`, on an idle machine.
 *
 * @module
 */

import {
  formatCount,
  formatMilliseconds,
  formatPercent,
  formatRate,
} from "../../lib/report/units.ts";
import { makeUserFolder, runCli } from "./run_cli.ts";
import { countedCalls, expectedCalls, startReference } from "./run_scenarios.ts";
import { TOKEN } from "./targets.ts";

const SHARDS = 4;
const RATE_PER_SECOND = 4_000;
/** Until all processes are ready to begin, in seconds. */
const READY_S = 8;
const LOAD = [
  ...["--scenarios", "open-loop", "--connections", "4", "--rate", String(RATE_PER_SECOND)],
  ...["--profile", "quick", "--epochs", "5", "--duration", "2", "--unit-baseline", "1000"],
];

function print(...cells: string[]): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`| ${cells.join(" | ")} |\n`));
}

if (import.meta.main) {
  await using server = await startReference();
  await using folder = await makeUserFolder();
  const startAt = String(Math.ceil(Date.now() / 1000) + READY_S);
  const env = { EXAI_WS_URL: server.url, EXAI_WS_TOKEN: TOKEN };
  const indices = Array.from({ length: SHARDS }, (_, index) => index + 1);
  await Promise.all(
    indices.map((index) =>
      runCli([...LOAD, "--shard", `${index}/${SHARDS}`, "--start-at", startAt], {
        folder: folder.path,
        env,
      })
    ),
  );
  const files = indices.map((index) => `reports/shard-${index}-of-${SHARDS}/report.json`);
  const merge = await runCli([...files, "--out", "all"], { folder: folder.path, via: "merge" });
  if (merge.code > 1) throw new Error(merge.stderr);

  const { scenarios: [scenario], merged } = await folder.report("all");
  const { ledger, warmupLedger, validity } = scenario!;
  const throughput = scenario!.metrics.find(({ name }) => name === "throughput");
  const rate = throughput?.kind === "scalar" ? throughput.value : NaN;
  const starts = merged!.parts.map(({ scenarios: [part] }) => part!.startOffsetMs ?? NaN);
  const expected = expectedCalls([ledger, warmupLedger]);
  const counted = countedCalls(server.stats());
  const difference = counted.served - expected.served - SHARDS; // Each shard's preflight calls once.

  print("Four shards of 1,000 calls/s", "Figure", "Wanted");
  print("---", "---", "---");
  print("merged rate", formatRate(rate), "3,980 to 4,020 msg/s");
  print("off by", formatPercent(Math.abs(rate / RATE_PER_SECOND - 1)), "0.5%");
  print(
    "first start to last",
    formatMilliseconds(Math.max(...starts) - Math.min(...starts)),
    "50 ms",
  );
  print("served of sent", `${formatCount(ledger.ok)} of ${formatCount(ledger.sent)}`, "all");
  print("server's count less the merged ledger's", formatCount(difference), "0");
  print("warnings", validity.warnings.join("; ") || "none", "");
}
