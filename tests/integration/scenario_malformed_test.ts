import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { malformedInput } from "../../scenarios/malformed_input.ts";
import {
  checkNamed,
  failedChecks,
  metricNamed,
  runScenario,
  startReference,
} from "../support/run_scenarios.ts";
import { ledgerWith, NO_NET as ignore } from "../support/targets.ts";

const THINK = Object.fromEntries(
  ["chat", "analyze", "debug"].map((tool) => [tool, { medianMs: 1, sigma: 0 }]),
);

Deno.test(
  { name: "malformed-input passes on both dialects, every row of its own", ignore },
  async () => {
    for (const dialect of ["oct", "nov"] as const) {
      await using server = await startReference({ dialect, helloTimeoutMs: 300, think: THINK });
      const report = await runScenario(malformedInput, { noHelloWaitMs: 5_000 }, server);
      console.log(report.checks, report.notMeasured, report.durationMs, report.reason);
      assertEquals(failedChecks(report), []);
    }
  },
);
