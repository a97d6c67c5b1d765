/**
 * Compares the closed loop with its target, as a ratio within one run, on an idle machine:
 * `deno run -q -P=test tests/support/load_targets.ts`. For the open loop see pacer_experiment.ts.
 *
 * @module
 */

import { compareTurns } from "../../lib/calibrate/turns.ts";
import { formatPercent, formatRate } from "../../lib/report/units.ts";
import { startNullServer } from "../../lib/server/null_server.ts";
import { median } from "../../lib/stats/median.ts";
import { printRow } from "./print.ts";

/** Many and short: within a second, a noisy machine varies more than the two loops differ. */
const TURNS = 45;

if (import.meta.main) {
  printRow("Target", `Median of ${TURNS} turns`, "Wanted", "From");
  printRow("---", "---", "---", "---");
  await using server = await startNullServer();
  const shape = { connections: 10, inFlight: 8 };
  const { suite, bare } = await compareTurns(server.url, { shape, rounds: TURNS, roundMs: 150 });
  const ratio = median(suite.map((rate, round) => rate / bare[round]!));
  const rates = [suite, bare].map((all) => formatRate(median(all)));
  printRow("closed loop 10 x 8 / bare loop", formatPercent(ratio), ">= 85%", rates.join(" / "));
}
