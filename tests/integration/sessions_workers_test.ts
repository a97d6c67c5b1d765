import { assert, assertEquals } from "@std/assert";
import { runOnWorkers } from "../../lib/split/workers.ts";
import {
  countedCalls,
  expectedCalls,
  metricNamed,
  NO_OVERRIDES,
  settingsAt,
  startReference,
} from "../support/run_scenarios.ts";

/** Workers load their modules by themselves, which takes permission to read. */
const ignore = (["net", "read", "env"] as const).some((name) =>
  Deno.permissions.querySync({ name }).state !== "granted"
);

Deno.test(
  "workers: a spike is split and merged, sessions are the first worker's, all calls are counted",
  { ignore },
  async () => {
    await using server = await startReference();
    const report = await runOnWorkers(
      settingsAt(server.url, {
        scenarios: ["spike", "session-capacity"],
        epochs: 1,
        ignoreLimits: true,
        overrides: {
          ...NO_OVERRIDES,
          ...{
            ratePerSecond: 2_000,
            durationMs: 100,
            connections: 4,
            spikeFactor: 2,
            sloMs: 8_000,
          },
        },
        workload: {
          begin: [],
          lasts: { patterns: 5, time: null },
          patterns: [{
            name: "status",
            weight: 1,
            steps: [{
              ...{ tool: "status", argsJson: "{}", timeoutMs: null, onError: "continue" },
              think: { kind: "exponential", meanMs: 10 },
            }],
          }],
        },
      }),
      {
        workers: 2,
        module: new URL("../../scenarios/worker.ts", import.meta.url),
        bundled: null,
        signal: new AbortController().signal,
        onWarning: () => {},
        onProgress: () => {},
        onPartialReport: () => Promise.resolve(),
        onLost: () => {},
      },
    );
    const [spike, sessions] = report.scenarios;
    assertEquals([spike!.name, sessions!.name], ["spike", "session-capacity"]);
    assertEquals([spike!.ledger.sent, spike!.ledger.ok], [2_500, 2_500]);
    const during = metricNamed(spike!, "latency", "distribution", { phase: "spike" });
    assertEquals(during.count, 400);
    // The later of the two, where both have recovered.
    const recovery = spike!.metrics.find(({ name }) => name === "recovery");
    if (recovery?.kind === "scalar") assertEquals(recovery.merge, "max");
    assertEquals(metricNamed(sessions!, "capacity", "scalar").value, 4);
    const ledgers = report.scenarios.flatMap(({ ledger, warmupLedger }) => [ledger, warmupLedger]);
    const { received } = countedCalls(server.stats());
    // Each worker's preflight calls once, and twice at once to look for a cache.
    assertEquals(received, expectedCalls(ledgers).received + 2 * 3);
    assert(sessions!.ledger.sent > 0);
  },
);
