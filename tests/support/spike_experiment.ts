/**
 * Stalls a server of known capacity for 2 s in a spike and compares the time to recover with the
 * calculated one, five times: `deno run -q -P=test tests/support/spike_experiment.ts`. Takes about
 * a minute and a half.
 *
 * @module
 */

import { spike } from "../../scenarios/spike.ts";
import { printLine } from "./print.ts";
import { startQueueServer } from "./queue_server.ts";
import { metricNamed, runScenario } from "./run_scenarios.ts";

const RUNS = 5;
const CAPACITY = 1_000;
const RATE = 200;
const FACTOR = 3;
const SPIKE_S = 2;
const STALL_S = 2;
/** From the stall to the end of the spike. */
const LEFT_S = 1;
/** After the lead-in, the 1,050 calls before the spike, and the first part of the spike. */
const STALLED_CALL = RATE * 0.5 + 1_050 + FACTOR * RATE * (SPIKE_S - LEFT_S);

// The server has caught up at t after the spike, when the time since the stall began equals the
// stall plus the work that has arrived since:
// (FACTOR RATE LEFT_S + RATE t) / CAPACITY + STALL_S = LEFT_S + t.
const expectedS = (FACTOR * RATE * LEFT_S / CAPACITY + STALL_S - LEFT_S) / (1 - RATE / CAPACITY);

let good = 0;
for (let run = 1; run <= RUNS; run++) {
  using server = await startQueueServer(CAPACITY);
  let calls = 0;
  const report = await runScenario(spike, {
    ratePerSecond: RATE,
    spikeFactor: FACTOR,
    durationMs: SPIKE_S * 1e3,
  }, {
    ...server,
    epochs: 1,
    workload: () => {
      if (++calls === STALLED_CALL) server.stall(STALL_S * 1e3);
      return { tool: "status", argsJson: "{}" };
    },
  });
  const recovered = metricNamed(report, "recovery", "scalar").value / 1e9;
  if (Math.abs(recovered / expectedS - 1) <= 0.1) good++;
  printLine(`run ${run}: ${recovered.toFixed(3)} s, calculated ${expectedS.toFixed(3)} s`);
}
printLine(`${good} of ${RUNS} within 10 %`);
