/**
 * Compares four shards with their target, 1,000 calls a second each on one server, on an idle
 * machine: `deno run -q -P=test tests/support/shard_targets.ts`.
 *
 * @module
 */

import {
  formatCount,
  formatMilliseconds,
  formatPercent,
  formatRate,
} from "../../lib/report/units.ts";
import { printRow } from "./print.ts";
import { makeUserFolder, runCli } from "./run_cli.ts";
import { countedCalls, expectedCalls, startReference } from "./run_scenarios.ts";
import { TOKEN } from "./targets.ts";

const SHARDS = 4;
const RATE_PER_SECOND = 4_000;
/** Time for all processes to get ready. */
const READY_S = 8;
const LOAD = [
  ...["--scenarios", "open-loop", "--connections", "4", "--rate", String(RATE_PER_SECOND)],
  ...["--profile", "quick", "--epochs", "5", "--duration", "2", "--unit-baseline", "1000"],
];

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
  // The preflight of each shard makes one call.
  const difference = counted.served - expected.served - SHARDS;

  const startSpreadMs = Math.max(...starts) - Math.min(...starts);
  const warnings = validity.warnings.map(({ message }) => message);
  printRow("Four shards of 1,000 calls/s", "Figure", "Wanted");
  printRow("---", "---", "---");
  printRow("merged rate", formatRate(rate), "3,980 to 4,020 msg/s");
  printRow("off by", formatPercent(Math.abs(rate / RATE_PER_SECOND - 1)), "0.5%");
  printRow("first start to last", formatMilliseconds(startSpreadMs), "50 ms");
  printRow("served of sent", `${formatCount(ledger.ok)} of ${formatCount(ledger.sent)}`, "all");
  printRow("server's count minus the merged ledger's", formatCount(difference), "0");
  printRow("warnings", warnings.join("; ") || "none", "");
}
