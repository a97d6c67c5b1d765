import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Report } from "../../lib/schema.ts";
import { makeUserFolder, NEEDS_PROCESSES, runCli, SHORT_RUN } from "../support/run_cli.ts";

const options = { ignore: NEEDS_PROCESSES };

/** More than any two runs differ, even on a busy machine. */
const FAR = 10_000;

/** The report as if the run had been `times` as fast. */
function faster(report: Report, times: number): Report {
  const changed = structuredClone(report);
  for (const metric of changed.scenarios.flatMap(({ metrics }) => metrics)) {
    if (metric.kind === "scalar") metric.value *= times;
    else {
      metric.p50 /= times;
      if (metric.p5 !== null) metric.p5 /= times;
    }
  }
  return changed;
}

Deno.test("cli: a missed threshold exits 4, and all are in the report", options, async () => {
  await using folder = await makeUserFolder();
  const { code, stdout } = await runCli([
    ...SHORT_RUN,
    ...["--threshold", "message-throughput.latency.p50<3600s", "--threshold", "errors=0"],
    ...["--threshold", "message-throughput.throughput>1000000000"],
  ], { folder: folder.path });
  assertEquals(code, 4);
  assertStringIncludes(stdout, "message-throughput.throughput>1000000000");
  const { thresholds, scenarios: [scenario] } = await folder.report();
  const [rate, times] = ["throughput", "latency"].map((name) =>
    scenario!.metrics.find((metric) => metric.name === name)
  );
  assert(rate?.kind === "scalar" && times?.kind === "distribution");
  assertEquals(thresholds?.map(({ observed, passed }) => [observed, passed]), [
    [times.p50, true],
    [0, true],
    [rate.value, false],
  ]);
});

Deno.test("cli: an unknown metric in a threshold exits 2, listing the known", options, async () => {
  await using folder = await makeUserFolder();
  const args = [...SHORT_RUN, "--threshold", "message-throughput.latncy.p50<1ms"];
  const { code, stderr } = await runCli(args, { folder: folder.path });
  assertEquals(code, 2);
  assertStringIncludes(stderr, "accepted are latency, throughput, unitFactor, errors");
});

Deno.test("cli: a run that is slower than its baselines exits 5", options, async () => {
  await using folder = await makeUserFolder();
  await runCli(SHORT_RUN, { folder: folder.path });
  const first = await folder.report();
  await Deno.mkdir(`${folder.path}/fast`);
  for (const index of [1, 2, 3, 4]) {
    const report = faster(first, FAR * (1 + index / 100));
    await folder.write(`fast/${index}.json`, JSON.stringify(report));
  }
  await folder.write("slow.json", JSON.stringify(faster(first, 1 / FAR)));
  const run = async (out: string, ...args: string[]) => {
    const { code, stdout, stderr } = await runCli([...SHORT_RUN, ...args, "--out", out], {
      folder: folder.path,
    });
    const { comparison, verdict } = await folder.report(out);
    return { code, text: stdout + stderr, comparison: comparison!, verdict };
  };
  // With four runs the noise is learned; with fewer it is stated, or nothing gates.
  for (const args of [["--baseline", "fast"], ["--baseline", "fast/1.json", "--noise", "10"]]) {
    const { code, text, comparison, verdict } = await run("slower", ...args);
    assertEquals(code, 5, text);
    // A short run may have too few samples for other percentiles.
    const median = comparison.rows.find(({ statistic }) => statistic === "p50")!;
    assertEquals([median.gating, median.verdict], [true, "slower"], text);
    assertEquals(
      verdict.reasons.map(({ kind }) => kind),
      comparison.regressions.map(() => "regression"),
    );
  }
  const few = await run("few", "--baseline", "fast/1.json", "--baseline", "fast/2.json");
  assertEquals([few.code, few.comparison.noise, few.comparison.baselines], [0, "unknown", 2]);
  const better = await run("faster", "--baseline", "slow.json", "--noise", "10");
  assertEquals(better.code, 0, better.text);
  assertStringIncludes(better.text, "faster");
});

Deno.test("cli: a baseline of another workload is refused before measuring", options, async () => {
  await using folder = await makeUserFolder();
  const names = ["--scenarios", "message-throughput,authentication"];
  await runCli([...SHORT_RUN, ...names], { folder: folder.path });
  const args = [...SHORT_RUN, ...names, "--payload", "100", "--baseline", "reports/report.json"];
  const { code, stderr } = await runCli([...args, "--out", "second"], { folder: folder.path });
  assertEquals(code, 2);
  // The payload is part of every scenario's workload.
  for (const name of ["message-throughput", "authentication"]) {
    assertStringIncludes(stderr, `${name}.payloadBytes: 0 -> 100`);
  }
  assertStringIncludes(stderr, "Use --force to compare them anyway");
  assertEquals((await folder.files("second")).size, 0);
  const forced = await runCli([...args, "--force"], { folder: folder.path });
  assertStringIncludes(forced.stdout.replace(/\s+/g, " "), "message-throughput.payloadBytes");
  assertEquals(forced.code, 0, forced.stdout);
});

Deno.test("cli: compare and report are commands of the same program", options, async () => {
  await using folder = await makeUserFolder();
  await runCli([...SHORT_RUN, "--format", "json"], { folder: folder.path });
  await folder.write("faster.json", JSON.stringify(faster(await folder.report(), FAR)));
  await folder.write("broken.json", "{");
  const run = (...args: string[]) => runCli(args, { folder: folder.path });
  const slower = await run("compare", "faster.json", "--", "reports/report.json", "--noise", "10");
  assertEquals([slower.code, slower.stderr], [5, ""]);
  assertStringIncludes(slower.stdout, "message-throughput latency median");
  const broken = await run("report", "broken.json");
  assertEquals(broken.code, 2);
  assertStringIncludes(broken.stderr, "broken.json");
});
