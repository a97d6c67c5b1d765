import { assert, assertEquals } from "@std/assert";
import type { LiveFigures, LiveScenario } from "../../lib/run/live.ts";
import { messageThroughput } from "../../scenarios/message_throughput.ts";
import { openLoop } from "../../scenarios/open_loop.ts";
import { metricNamed, runScenarios, startReference } from "../support/run_scenarios.ts";
import { NO_NET } from "../support/targets.ts";

const options = { ignore: NO_NET };

Deno.test(
  "live: what is watched while a scenario runs agrees with its report",
  options,
  async () => {
    await using server = await startReference();
    const seen: LiveFigures[] = [];
    let watch: LiveScenario | null = null;
    const { scenarios: [report] } = await runScenarios([
      [messageThroughput, { rounds: 2, messages: 50, durationMs: null, warmupMs: 20 }],
    ], {
      url: server.url,
      onProgress: (_scenario, _done, watched) => {
        watch = watched;
        seen.push(watched.live());
      },
    });
    const { ledger, warmupLedger } = report!;
    const { rounds } = metricNamed(report!, "latency", "distribution");
    assertEquals(seen.map(({ errors }) => errors), [0, 0, 0, 0]);
    assertEquals([seen[0]!.ok, seen[0]!.times], [0, null]);
    assert(seen[1]!.ok > 0 && seen[1]!.times === null, "the warm-up is counted and not timed");
    const [, , afterFirst, afterSecond] = seen;
    assertEquals(afterFirst!.times, { name: "latency", p50Ns: rounds[0]!.p50!, p99Ns: null });
    assertEquals(afterSecond!.times, { name: "latency", p50Ns: rounds[1]!.p50!, p99Ns: null });
    assertEquals(afterSecond!.ok, ledger.ok + warmupLedger.ok);
    assert(afterSecond!.elapsedNs > 0 && afterSecond!.elapsedNs <= report!.durationMs * 1e6);
    assertEquals(watch!.live().times, null, "a look after the end sees no memory given back");
  },
);

Deno.test("live: a scenario says whether it keeps a schedule", options, async () => {
  await using server = await startReference();
  const paced: Record<string, boolean[]> = { "message-throughput": [], "open-loop": [] };
  await runScenarios([
    [messageThroughput, { rounds: 1, messages: 5, durationMs: null, warmupMs: 0 }],
    [openLoop, { rounds: 1, durationMs: 20, warmupMs: 0 }],
  ], {
    url: server.url,
    onProgress: (scenario, _done, watch) => paced[scenario]!.push(watch.isPaced),
  });
  assert(paced["message-throughput"]!.every((isPaced) => !isPaced));
  assert(paced["open-loop"]!.includes(true));
});
