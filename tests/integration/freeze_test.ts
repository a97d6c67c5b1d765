// Runs alone: compares times.

import { assert } from "@std/assert";
import { runFreezeExperiment } from "../support/freeze_experiment.ts";
import { NO_NET as ignore } from "../support/targets.ts";

/** Half of the experiment in docs/method.md: the 40 slowest of 800 calls wait 300 ms or longer. */
Deno.test({ name: "the open loop shows a freeze, the closed one does not", ignore }, async () => {
  const { analyticP95Ns, open, closed } = await runFreezeExperiment({
    ratePerSecond: 200,
    runMs: 4_000,
    freezeMs: 500,
  });
  assert(analyticP95Ns === 300e6);
  // A busy machine makes calls wait longer, but never shorter.
  const ratio = open.p95! / analyticP95Ns;
  assert(ratio > 0.85 && ratio < 1.5, `open p95 ${open.p95! / 1e6} ms`);
  assert(closed.p95! < 0.5 * analyticP95Ns, `closed p95 ${closed.p95! / 1e6} ms`);
  assert(closed.max > 0.95 * 500e6, "though one of its calls waited through the freeze");
});
