import { assert, assertEquals } from "@std/assert";
import type { LiveFigures, LiveScenario } from "../../lib/run/live.ts";
import type { Progress } from "../../lib/run/progress.ts";
import { messageThroughput } from "../../scenarios/message_throughput.ts";
import { openLoop } from "../../scenarios/open_loop.ts";
import { reconnection } from "../../scenarios/reconnection.ts";
import { soak } from "../../scenarios/soak.ts";
import { metricNamed, runScenarios, startReference } from "../support/run_scenarios.ts";
import { NO_NET } from "../support/targets.ts";

const options = { ignore: NO_NET };

Deno.test("live: figures agree with the report", options, async () => {
  await using server = await startReference();
  const seen: LiveFigures[] = [];
  let watch: LiveScenario | null = null;
  const { scenarios: [report] } = await runScenarios([
    [messageThroughput, { messages: 50, durationMs: null }],
  ], {
    url: server.url,
    epochs: 2,
    onProgress: ({ stage, watch: watched }) => {
      if (stage === "epoch") watch = watched;
    },
    onEpoch: () => seen.push(watch!.live()),
  });
  const { ledger, warmupLedger } = report!;
  const { epochs } = metricNamed(report!, "latency", "distribution");
  assertEquals(seen.map(({ errors }) => errors), [0, 0]);
  assertEquals(seen.map(({ times }) => times), [
    ...epochs.map(({ p50 }) => ({ name: "latency", p50Ns: p50!, p99Ns: null })),
  ]);
  assertEquals(seen.map(({ ok }) => ok), [100, 150]);
  assertEquals(ledger.ok + warmupLedger.ok, 150);
  assert(seen[1]!.elapsedNs > seen[0]!.elapsedNs);
});

Deno.test("live: a scenario says whether it is paced", options, async () => {
  await using server = await startReference();
  const watched = new Map<string, LiveScenario>();
  const paced = new Map<string, boolean>();
  await runScenarios([
    [messageThroughput, { messages: 5, durationMs: null }],
    [openLoop, { durationMs: 20 }],
    [soak, { durationMs: 20 }],
  ], {
    ...{ url: server.url, epochs: 1, cold: true },
    onProgress: ({ stage, scenarios, watch }) => {
      if (stage === "epoch") watched.set(scenarios.join(), watch);
    },
    onEpoch: () => watched.forEach((watch, name) => paced.set(name, watch.isPaced)),
  });
  assertEquals(Object.fromEntries(paced), {
    "message-throughput": false,
    "open-loop": true,
    "soak": true,
  });
});

Deno.test("progress: each epoch lists its scenarios, the warm-up as 0", options, async () => {
  await using server = await startReference();
  const heard: (Progress & { state: "running" })[] = [];
  await runScenarios([
    [messageThroughput, { messages: 5, durationMs: null }],
    [reconnection, { cycles: 1, pauseMs: 1 }],
  ], { url: server.url, epochs: 2, onProgress: (progress) => heard.push(progress) });
  const inEpochs = heard.filter(({ stage }) => stage === "epoch");
  assertEquals(new Set(inEpochs.map(({ epoch }) => epoch)), new Set([0, 1, 2]));
  for (const epoch of [0, 1, 2]) {
    const places = inEpochs.filter((one) => one.epoch === epoch && one.done === 0);
    assertEquals(new Set(places.map(({ index, of }) => `${index}/${of}`)), new Set(["1/2", "2/2"]));
    assertEquals(new Set(places.flatMap(({ scenarios }) => scenarios)).size, 2);
  }
});
