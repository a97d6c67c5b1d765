/**
 * Shards as separate processes on one server: their merge must match the server's counts.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Report } from "../../lib/schema.ts";
import { LATE_START_MS } from "../../lib/run/start_times.ts";
import {
  makeUserFolder,
  NEEDS_PROCESSES,
  runCli,
  SHORT_RUN,
  type UserFolder,
} from "../support/run_cli.ts";
import { countedCalls, startReference } from "../support/run_scenarios.ts";
import { expectedOfParts } from "../support/split_runs.ts";
import { TOKEN } from "../support/targets.ts";

const options = { ignore: NEEDS_PROCESSES };

const SHARDS = 3;
const PLACES = [1, 2, 3].map((index) => `${index}/${SHARDS}`);
const FILES = PLACES.map((place) => `reports/shard-${place.replace("/", "-of-")}/report.json`);
/** Without the limit probe, whose calls the server would count too. */
const SPLIT = ["--profile", "quick", "--warmup", "0", "--epochs", "2", "--ignore-limits"];
/** Five connections for three shards: 2, 2 and 1. */
const OPEN_LOOP = [
  ...[...SPLIT, "--scenarios", "open-loop,message-throughput", "--connections", "5"],
  ...["--rate", "600", "--duration", "0.3", "--arrivals", "poisson"],
];

/** Runs all shards simultaneously; returns their reports. */
async function runShards(
  args: readonly string[],
  { url, folder, startAt }: { url: string; folder: UserFolder; startAt: number | null },
): Promise<Report[]> {
  const start = startAt === null ? [] : ["--start-at", String(startAt)];
  const results = await Promise.all(
    PLACES.map((place) =>
      runCli([...args, "--shard", place, ...start], {
        folder: folder.path,
        env: { EXAI_WS_URL: url, EXAI_WS_TOKEN: TOKEN },
      })
    ),
  );
  for (const { code, stderr, stdout } of results) assertEquals(code, 0, stdout + stderr);
  return await Promise.all(
    PLACES.map((place) => folder.report(`reports/shard-${place.replace("/", "-of-")}`)),
  );
}

function merge(args: readonly string[], folder: UserFolder) {
  return runCli(args, { folder: folder.path, via: "merge" });
}

Deno.test("shards: three merged processes match the server's counts", options, async () => {
  await using server = await startReference();
  await using folder = await makeUserFolder();
  const startAt = Math.ceil(Date.now() / 1000) + 6;
  const shards = await runShards(OPEN_LOOP, { url: server.url, folder, startAt });
  const { code, stdout, stderr } = await merge([...FILES, "--out", "merged"], folder);
  assertEquals(code, 0, stdout + stderr);
  assertStringIncludes(stdout, "Merged from 3 shards");
  const merged = await folder.report("merged");
  assertEquals(countedCalls(server.stats()), expectedOfParts(merged, SHARDS));

  const [openLoop, alone] = merged.scenarios;
  const own = shards.map(({ scenarios }) => scenarios.find(({ name }) => name === "open-loop")!);
  assertEquals(
    own.map(({ share }) => share),
    [2, 2, 1].map((connections) => ({ connections, of: 5 })),
  );
  assertEquals(openLoop!.ledger.sent, own.reduce((sum, { ledger }) => sum + ledger.sent, 0));
  assertEquals(openLoop!.share, undefined);
  for (const name of ["latency", "serviceTime", "slip"]) {
    const metric = openLoop!.metrics.find((one) => one.name === name)!;
    assert(metric.kind === "distribution");
    assertEquals(metric.count, openLoop!.ledger.ok);
    const summed = metric.epochs.reduce((sum, { count }) => sum + count, 0);
    assertEquals(summed, metric.count);
  }
  // The first shard runs what cannot be split.
  assertEquals(alone, shards[0]!.scenarios.find(({ name }) => name === "message-throughput"));
  assertEquals(shards[1]!.scenarios.map(({ status }) => status), ["passed", "skipped"]);

  for (const { shard, scenarios: [scenario] } of shards) {
    // Without a warm-up, the first epoch is the first turn.
    const { plannedStartMs, epochs: [first] } = scenario!.measured!;
    assertEquals([shard!.startAtMs, plannedStartMs], [startAt * 1000, startAt * 1000]);
    assertEquals(shard!.startOffsetMs, first!.startMs - startAt * 1000);
    // The clock's resolution is a millisecond.
    assert(shard!.startOffsetMs! >= -1);
    assertEquals(shard!.late, shard!.startOffsetMs! > LATE_START_MS);
    // The same machine, so the clocks agree within the error.
    assert(shard!.clock !== null && Math.abs(shard!.clock.offsetMs) <= shard!.clock.errorMs);
  }
});

Deno.test("shards: together they send every slot of the schedule", options, async () => {
  await using server = await startReference();
  await using folder = await makeUserFolder();
  const load = ["--connections", "6", "--rate", "900", "--duration", "0.5"];
  const args = [...SPLIT, "--scenarios", "open-loop", ...load];
  await runShards(args, { url: server.url, folder, startAt: null });
  const { code, stdout, stderr } = await merge(
    [...FILES, "--out", "merged", "--threshold", "errors=0", "--format", "json,md,html,junit"],
    folder,
  );
  assertEquals(code, 0, stdout + stderr);
  const { scenarios: [scenario], thresholds } = await folder.report("merged");
  const { sent, dropped } = scenario!.ledger;
  // 900/s for 0.5 s, twice.
  assertEquals([sent, dropped], [900, 0]);
  assertEquals(
    scenario!.checks.find(({ name }) => name === "every slot sent")?.observed,
    "900 of 900",
  );
  assertEquals(thresholds!.map(({ passed }) => passed), [true]);
  const written = await folder.files("merged");
  for (const name of ["junit.xml", "report.html", "report.json", "report.md"]) {
    assert(written.has(`merged/${name}`), name);
  }
  for (const name of ["merged/report.html", "merged/report.md"]) {
    assertStringIncludes(written.get(name)!, "Merged from 3 shards");
  }
  // --inject works on a merged report too.
  await folder.write("page.md", "before\n<!-- bench:start -->\n<!-- bench:end -->\nafter\n");
  const filled = await merge([...FILES, "--out", "merged", "--inject", "page.md"], folder);
  assertEquals(filled.code, 0, filled.stderr);
  assertStringIncludes(await Deno.readTextFile(`${folder.path}/page.md`), "Open loop");
  const [first, second, third] = FILES as [string, string, string];
  const refused: [string[], string][] = [
    [[first, third], "shard 2 of 3 is in none of the files"],
    [[first, second, third, second], `shard 2 of 3 appears twice: ${second}, ${second}`],
    [[first, second, third, "merged/report.json"], "merged/report.json: it has no field shard"],
  ];
  for (const [names, message] of refused) {
    const result = await merge([...names, "--out", "again"], folder);
    assertEquals(result.code, 2);
    assertStringIncludes(result.stderr, message);
  }
  assertEquals(
    (await merge([first, second, third], folder)).stderr.split(":")[1],
    " Cannot merge without --out DIR",
  );
});

Deno.test("shards: an array job not asked to split measures all, and warns", options, async () => {
  await using folder = await makeUserFolder();
  const { code, stderr } = await runCli(SHORT_RUN, {
    folder: folder.path,
    env: { SLURM_ARRAY_TASK_ID: "3", SLURM_ARRAY_TASK_COUNT: "4", SLURM_ARRAY_TASK_MIN: "1" },
  });
  assertEquals(code, 0, stderr);
  assertStringIncludes(stderr, "warning: SLURM_ARRAY_TASK_ID is set but not used");
  const { shard, scenarios } = await folder.report();
  assertEquals([shard, scenarios[0]?.status], [undefined, "passed"]);
});

Deno.test("shards: options that cannot be split are refused", options, async () => {
  await using folder = await makeUserFolder();
  const refused: [string[], Record<string, string>, string][] = [
    [["--shard", "1/2"], {}, "without --url"],
    [["--shard", "3/2", "--url", "ws://127.0.0.1:9"], {}, 'Cannot use --shard "3/2"'],
    [
      ["--shard", "1/2", "--url", "ws://127.0.0.1:9", "--threshold", "errors=0"],
      {},
      "Cannot use --threshold with --shard",
    ],
    [["--shard", "auto"], { BENCH_SHARDS: "2", JOB_COMPLETION_INDEX: "1" }, "without --url"],
    [[], { BENCH_START_AT: "tomorrow" }, 'Cannot use BENCH_START_AT "tomorrow"'],
    [["--workers", "9", "--scenarios", "open-loop"], {}, "open-loop has 5 connections"],
    [["--workers", "2", "--scenarios", "pipelining"], {}, "none of the scenarios can be split"],
  ];
  for (const [args, env, message] of refused) {
    const { code, stderr } = await runCli(args, { folder: folder.path, env });
    assertEquals(code, 2, stderr);
    assertStringIncludes(stderr, message);
  }
});
