/**
 * Holds the closed loop against what it must reach, as a ratio within one run:
 * `deno run -q -P=test tests/support/load_targets.ts`, on an idle machine. pacer_experiment.ts does that
 * for the open loop.
 *
 * @module
 */

import { compareTurns } from "../../lib/calibrate/turns.ts";
import { formatPercent, formatRate } from "../../lib/report/units.ts";
import { startNullServer } from "../../lib/server/null_server.ts";
import { median } from "../../lib/stats/median.ts";

/** Many short ones: the two loops differ by less than a noisy machine does within a second. */
const TURNS = 45;

function print(...cells: string[]): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`| ${cells.join(" | ")} |\n`));
}

async function printClosed(url: string): Promise<void> {
  const shape = { connections: 10, inFlight: 8 };
  const { suite, bare } = await compareTurns(url, { shape, rounds: TURNS, roundMs: 150 });
  const ratio = median(suite.map((rate, round) => rate / bare[round]!));
  const rates = [suite, bare].map((all) => formatRate(median(all)));
  print("closed loop 10 x 8 / bare loop", formatPercent(ratio), ">= 85%", rates.join(" / "));
}

if (import.meta.main) {
  print("Target", `Median of ${TURNS} turns`, "Wanted", "From");
  print("---", "---", "---", "---");
  await using nullServer = await startNullServer();
  await printClosed(nullServer.url);
}
