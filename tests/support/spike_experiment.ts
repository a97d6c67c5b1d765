/**
 * Stalls a server of a known capacity for 2 s in a spike, and holds the time to recover against the arithmetic, five
 * times: `deno run -q -P=test tests/support/spike_experiment.ts`. Takes about a minute and a half.
 *
 * @module
 */

import { spike } from "../../scenarios/spike.ts";
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
/** After the lead-in, the time before the spike, which is as long as 1,050 calls take, and the first of the spike. */
const STALLED_CALL = RATE * 0.5 + 1_050 + FACTOR * RATE * (SPIKE_S - LEFT_S);

// What has come since the stall, in seconds of work, and the stall itself are done when that much time is over:
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
  print(`run ${run}: ${recovered.toFixed(3)} s, by the arithmetic ${expectedS.toFixed(3)} s`);
}
print(`${good} of ${RUNS} within 10 %`);

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
