/**
 * One run on several workers of this process.
 *
 * @module
 */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { parseThreshold } from "../../lib/stats/thresholds.ts";
import type { Progress } from "../../lib/run/progress.ts";
import type { RunSettings } from "../../lib/run/settings.ts";
import { runOnWorkers, type WorkersOptions } from "../../lib/split/workers.ts";
import { SCENARIOS } from "../../scenarios/mod.ts";
import { bench } from "../../lib/cli/bench_command.ts";
import { configOf } from "../support/config_of.ts";
import { makeTempFolder } from "../support/files.ts";
import { makeUserFolder, NEEDS_PROCESSES, runCli, startCli } from "../support/run_cli.ts";
import {
  countedCalls,
  metricNamed,
  NO_OVERRIDES,
  settingsAt,
  startReference,
} from "../support/run_scenarios.ts";
import { lacks } from "../support/permissions.ts";
import { silentProgram } from "../support/silent_program.ts";
import { expectedOfParts } from "../support/split_runs.ts";
import { TOKEN } from "../support/targets.ts";

/** Workers load their own modules, which takes permission to read. */
const options = { ignore: lacks("net", "read", "env") };

const WORKER = new URL("../../scenarios/worker.ts", import.meta.url);
const DYING = new URL("../support/dying_worker.ts", import.meta.url);
const SCRIPTED = new URL("../support/scripted_worker.ts", import.meta.url);
const VOCABULARY = Object.fromEntries(SCENARIOS.map(({ name, metrics }) => [name, metrics]));

function settingsFor(url: string, more: Partial<RunSettings> = {}): RunSettings {
  return settingsAt(url, {
    scenarios: ["concurrent-connections", "message-throughput", "open-loop"],
    epochs: 2,
    // The server would count the limit probe's calls too.
    ignoreLimits: true,
    overrides: {
      ...NO_OVERRIDES,
      ...{ durationMs: 200, warmupMs: 20, connections: 5, ratePerSecond: 300 },
    },
    ...more,
  });
}

interface Heard {
  progress: Progress[];
  lost: string[];
  partial: number;
}

function hooksFor(more: Partial<WorkersOptions> = {}): { hooks: WorkersOptions; heard: Heard } {
  const heard: Heard = { progress: [], lost: [], partial: 0 };
  const hooks: WorkersOptions = {
    workers: 2,
    module: WORKER,
    bundled: null,
    signal: new AbortController().signal,
    onWarning: () => {},
    onProgress: (progress) => heard.progress.push(progress),
    onPartialReport: () => Promise.resolve(void heard.partial++),
    onLost: (message) => heard.lost.push(message),
    ...more,
  };
  return { hooks, heard };
}

Deno.test("workers: two merged loops match the server's counts", options, async () => {
  await using server = await startReference();
  const { hooks, heard } = hooksFor();
  const threshold = parseThreshold("open-loop.throughput>0", VOCABULARY);
  const settings = settingsFor(server.url, { thresholds: [threshold] });
  const report = await runOnWorkers(settings, hooks);
  assertEquals(report.verdict.exitCode, 0, JSON.stringify(report.verdict.reasons));
  assertEquals([report.shard, report.merged?.of], [undefined, "workers"]);
  assertEquals(report.thresholds?.map(({ passed }) => passed), [true]);
  // Split scenarios come first; the first worker runs the rest.
  assertEquals(report.scenarios.map(({ name, status }) => [name, status]), [
    ["concurrent-connections", "passed"],
    ["open-loop", "passed"],
    ["message-throughput", "passed"],
  ]);
  assertEquals(countedCalls(server.stats()), expectedOfParts(report, 2));
  // 300/s for 0.2 s, twice, on 3 and 2 of 5 connections.
  const sent = report.merged!.parts.map(({ scenarios }) =>
    scenarios.find(({ name }) => name === "open-loop")!.sent
  );
  assertEquals(sent, [72, 48]);
  // Neither began before both were ready.
  for (const { measured, name } of report.scenarios.slice(0, 2)) {
    assert(measured!.plannedStartMs !== null, name);
    assertEquals(measured!.epochs.length, 2);
  }
  const ended = heard.progress.flatMap((one) => one.state === "ended" ? one.scenario : []);
  assertEquals(new Set(ended).size, 3);
  assert(heard.partial > 0);
  assertEquals(heard.lost, []);
});

Deno.test("workers: a shard's share is split again", options, async () => {
  await using server = await startReference();
  const { hooks } = hooksFor();
  const settings = settingsFor(server.url, {
    scenarios: ["open-loop"],
    shard: { index: 1, count: 2 },
  });
  const report = await runOnWorkers(settings, hooks);
  assertEquals([report.shard?.index, report.shard?.count], [1, 2]);
  const [scenario] = report.scenarios;
  // Connections 1, 3 and 5 of 5, their slots, and histograms to merge with the other shard.
  assertEquals(scenario!.share, { connections: 3, of: 5 });
  assertEquals(scenario!.ledger.sent, 2 * 36);
  const latency = scenario!.metrics.find(({ name }) => name === "latency");
  assert(latency?.kind === "distribution");
  assert(latency.epochs.every(({ histogram }) => histogram !== undefined));
});

Deno.test("workers: spikes are split, sessions run on the first worker", options, async () => {
  await using server = await startReference();
  const { hooks } = hooksFor();
  const step = { tool: "status", argsJson: "{}", timeoutMs: null, onError: "continue" } as const;
  const steps = [{ ...step, think: { kind: "exponential", meanMs: 10 } as const }];
  const load = { ratePerSecond: 2_000, durationMs: 100, connections: 4 };
  const settings = settingsFor(server.url, {
    scenarios: ["spike", "session-capacity"],
    epochs: 1,
    overrides: { ...NO_OVERRIDES, ...load, spikeFactor: 2, sloMs: 8_000 },
    workload: {
      begin: [],
      lasts: { patterns: 5, time: null },
      patterns: [{ name: "status", weight: 1, steps }],
    },
  });
  const report = await runOnWorkers(settings, hooks);
  const [spike, sessions] = report.scenarios;
  assertEquals([spike!.name, sessions!.name], ["spike", "session-capacity"]);
  assertEquals([spike!.ledger.sent, spike!.ledger.ok], [2_500, 2_500]);
  const during = metricNamed(spike!, "latency", "distribution", { phase: "spike" });
  assertEquals(during.count, 400);
  // The later of the two, if both have recovered.
  const recovery = spike!.metrics.find(({ name }) => name === "recovery");
  if (recovery?.kind === "scalar") assertEquals(recovery.merge, "max");
  assertEquals(metricNamed(sessions!, "capacity", "scalar").value, 4);
  assertEquals(countedCalls(server.stats()).received, expectedOfParts(report, 2).received);
  assert(sessions!.ledger.sent > 0);
});

Deno.test("workers: a dead worker is reported, and the rest kept", options, async () => {
  await using server = await startReference();
  const { hooks, heard } = hooksFor({ module: DYING });
  const settings = settingsFor(server.url, { scenarios: ["open-loop", "message-throughput"] });
  const report = await runOnWorkers(settings, hooks);
  assertEquals(heard.lost.length, 1);
  assertStringIncludes(heard.lost[0]!, "worker 2 of 2 died: ");
  assertStringIncludes(heard.lost[0]!, "Out of luck");
  assertEquals([report.verdict.status, report.verdict.exitCode], ["failed", 1]);
  const [reason] = report.verdict.reasons;
  assertStringIncludes(reason!.message, "worker 2 of 2 died");
  assertStringIncludes(reason!.message, "the figures are those of the others");
  const [openLoop, alone] = report.scenarios;
  // The first worker's 3 of 5 connections in both epochs, the others in the first only.
  assertEquals(openLoop!.ledger.sent, 2 * 36 + 24);
  assertEquals([openLoop!.measured!.epochs.length, report.epochs], [1, 1]);
  assertEquals(openLoop!.metrics.map(({ epochs }) => epochs.length), [1, 1, 1, 1]);
  assertEquals(openLoop!.validity.valid, false);
  assert(openLoop!.validity.warnings.some(({ kind }) => kind === "missingPart"));
  assertEquals([alone!.status, alone!.validity.valid], ["passed", true]);
  assertStringIncludes(report.merged!.parts[1]!.lost!, "Out of luck");
});

Deno.test("workers: after a death, every epoch of the others is reported", options, async () => {
  const partial: string[] = [];
  const { hooks, heard } = hooksFor({
    workers: 3,
    module: SCRIPTED,
    onPartialReport: ({ finishedAt }) => Promise.resolve(void partial.push(finishedAt)),
  });
  const { merged } = await runOnWorkers(settingsFor("ws://127.0.0.1:9"), hooks);
  assertEquals([heard.lost.length, merged!.parts.length], [1, 3]);
  assertEquals(partial, ["after epoch 1", "after epoch 2", "after epoch 3"]);
});

Deno.test(
  "workers: the reason why the bundled server did not restart is passed on",
  options,
  async () => {
    const warnings: string[] = [];
    const { hooks } = hooksFor({
      workers: 1,
      module: SCRIPTED,
      onWarning: (message) => warnings.push(message),
      bundled: {
        restart: () => Promise.reject(new Error("no port")),
      },
    });
    await runOnWorkers(settingsFor("ws://127.0.0.1:9"), hooks);
    assertEquals(warnings, ["no port"]);
  },
);

Deno.test("workers: if none can begin, the cause is reported", options, async () => {
  const { hooks } = hooksFor({ module: new URL("./no_such_module.ts", import.meta.url) });
  await assertRejects(
    () => runOnWorkers(settingsFor("ws://127.0.0.1:9"), hooks),
    Error,
    "every worker died",
  );
});

Deno.test("workers: an unreachable server is reported once", options, async () => {
  const { hooks } = hooksFor();
  const { verdict } = await runOnWorkers(settingsFor("ws://127.0.0.1:9"), hooks);
  assertEquals([verdict.exitCode, verdict.reasons.length], [3, 1]);
});

const processes = { ignore: NEEDS_PROCESSES || Deno.build.os === "windows" };
const RUN = ["--profile", "quick", "--scenarios", "concurrent-connections", "--warmup", "0"];

Deno.test("workers: Ctrl-C reaches all, and leaves whole reports", processes, async () => {
  await using folder = await makeUserFolder();
  await using server = await startReference();
  const args = [...RUN, "--epochs", "2", "--duration", "25", "--workers", "2", "--url", server.url];
  await using running = startCli(args, { folder: folder.path, env: { EXAI_WS_TOKEN: TOKEN } });
  await running.waitFor("stderr", /\[epoch 1\/2\]/);
  // Until both have measured for a while, in slices of 100 ms.
  let isOver = false;
  void running.result.then(() => isOver = true);
  while (!isOver && countedCalls(server.stats()).served < 1_000) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  running.kill("SIGINT");
  const { code, stdout, stderr } = await running.result;
  assertEquals(code, 130, stderr);
  assertStringIncludes(stdout, "INTERRUPTED");
  const { verdict, scenarios: [scenario], merged } = await folder.report();
  assertEquals(verdict.reasons.length, 1);
  assertEquals([verdict.status, scenario!.status], ["interrupted", "interrupted"]);
  assertEquals(scenario!.ledger.sent, scenario!.ledger.ok + scenario!.ledger.aborted);
  for (const { lost, scenarios: [share] } of merged!.parts) {
    assertEquals(lost, null);
    assert(share!.ok > 0);
  }
});

Deno.test("workers: all measure the bundled server", processes, async () => {
  await using folder = await makeUserFolder();
  const { code, stdout, stderr } = await runCli(
    [...RUN, "--epochs", "1", "--duration", "0.1", "--workers", "2", "--unit-baseline", "1000"],
    { folder: folder.path },
  );
  assertEquals(code, 0, stdout + stderr);
  assertStringIncludes(stdout, "Merged from 2 workers");
  const { target, merged } = await folder.report();
  assertEquals([target.kind, merged?.parts.length], ["embedded", 2]);
});

Deno.test("workers: the first one restarts the bundled server", processes, async () => {
  await using folder = await makeUserFolder();
  const { code, stdout, stderr } = await runCli([
    ...["--profile", "quick", "--scenarios", "concurrent-connections,reconnect-storm"],
    ...["--epochs", "1", "--duration", "0.1", "--warmup", "0", "--connections", "6"],
    ...["--workers", "2", "--unit-baseline", "1000"],
  ], { folder: folder.path });
  assertEquals(code, 0, stdout + stderr);
  const { scenarios } = await folder.report();
  const storm = scenarios.find(({ name }) => name === "reconnect-storm");
  assertEquals(storm!.status, "passed");
  assert(storm!.metrics.some(({ at }) => String(at?.phase).startsWith("Restart")));
});

Deno.test(
  "workers: a warning does not follow the live line on the same line",
  options,
  async () => {
    await using server = await startReference();
    await using folder = await makeTempFolder();
    const shown: string[] = [];
    const program = silentProgram();
    Object.assign(program.terminal, {
      isLive: true,
      printError: (text: string) => shown.push(text),
      printWarning: (message: string) => shown.push(`warning: ${message}\n`),
    });
    const args = [
      ...["--url", server.url, "--token", TOKEN, "--scenarios", "concurrent-connections"],
      ...["--workers", "2", "--epochs", "3", "--duration", "0.3", "--warmup", "0.1"],
      ...["--profile", "quick", "--ignore-limits"],
    ];
    const place = { env: {}, directory: folder.path, vocabulary: VOCABULARY };
    const config = await configOf(args, place);
    assertEquals(await bench(config, { ...program, workerModule: DYING, args }), 1);
    const text = shown.join("");
    const [, before] = /([^]*)warning: worker 2 of 2 died/.exec(text)!;
    assert(before!.includes("[epoch 1/3]") && before!.endsWith("\r\x1b[2K"), text);
  },
);
