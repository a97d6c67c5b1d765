import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { callChecks } from "../../lib/run/call_checks.ts";
import { failedCheckReasons } from "../../lib/run/verdict.ts";
import type { Check, Ledger, Metric, Report, ScenarioReport, Validity } from "../../lib/schema.ts";
import { type MergeOptions, mergeReports } from "../../lib/split/merge.ts";
import { mergeCheck, mergeScenario } from "../../lib/split/merge_scenario.ts";
import { inOneTime, togetherWarnings } from "../../lib/split/together.ts";
import { DistributionRecorder, summariseScalar } from "../../lib/stats/summary.ts";
import { scenarioOf } from "../support/comparable_report.ts";
import { sampleReport } from "../support/sample_report.ts";
import { ledgerWith } from "../support/targets.ts";

/** A shard's scenario of `ok` calls, all served, in an epoch from 0 to 1,000 ms. */
function share(ok: number, change: Partial<ScenarioReport> = {}): ScenarioReport {
  return {
    ...scenarioOf("open-loop"),
    parameters: { connections: 4 },
    checks: [
      countOf(ok),
      textCheck("none"),
      ...callChecks({ ledger: servedOf(ok), warmupLedger: ledgerWith({}) }),
    ],
    warmupLedger: ledgerWith({}),
    ledger: servedOf(ok),
    validity: VALIDITY,
    notes: [],
    measured: { plannedStartMs: 0, epochs: [{ startMs: 0, endMs: 1_000 }] },
    share: { connections: 2, of: 4 },
    ...change,
  };
}

function servedOf(ok: number): Ledger {
  return ledgerWith({ sent: ok, ok, frames: { received: ok, final: ok } });
}

/** A check that passed, observed in words. */
function textCheck(observed: string): Check {
  return { kind: "other", name: "something else", passed: true, expected: "none", observed };
}

/** A check that counts, with the cause of the first failure if there is one. */
function countOf(seen: number, { wanted = seen, why = "" } = {}): Check {
  return {
    ...{ kind: "slots", name: "every slot sent", passed: seen === wanted, seen, wanted },
    expected: `${wanted} of ${wanted}`,
    observed: `${seen} of ${wanted}${why === "" ? "" : `; first failure: ${why}`}`,
  };
}

const VALIDITY: Validity = {
  ...{ valid: true, client: "free", clientShare: 0.2, clientShareCi95: [0.1, 0.3] },
  ...{ clientCpu: 0.2, loopLagP99Ns: 1e6, warnings: [] },
};

function merge(...reports: ScenarioReport[]): ScenarioReport {
  const parts = reports.map((report, index) => ({
    ...{ label: `shard ${index + 1}`, clock: null, report },
  }));
  return mergeScenario(parts, { seed: 1, of: "shards" });
}

Deno.test("counts of checks add up, and ledger checks are rebuilt from the merged ledger", () => {
  const { checks, ledger, status, share: rest } = merge(share(30), share(12));
  assertEquals(checks.map(({ name }) => name), [
    ...["every slot sent", "something else", "every message answered", "no error replies"],
    ...["no stray frames", "ledger reconciles"],
  ]);
  const observed = Object.fromEntries(checks.map(({ name, observed }) => [name, observed]));
  assertEquals(observed["every slot sent"], "42 of 42");
  assertEquals(observed["something else"], "none");
  assertEquals(observed["every message answered"], "42 of 42");
  assertEquals(observed["ledger reconciles"], "every call and every frame counted once");
  assertEquals([ledger.ok, status, rest], [42, "passed", undefined]);
});

Deno.test("a check that fails on one shard fails the whole and says where", () => {
  const failing = share(12, {
    status: "failed",
    checks: [{ ...textCheck("late 3"), passed: false }],
  });
  const { checks, status } = merge(share(30), failing);
  const check = checks.find(({ name }) => name === "something else")!;
  assertEquals([status, check.passed], ["failed", false]);
  assertEquals(check.observed, "shard 1: none; shard 2: late 3");
});

Deno.test("a message lost by one shard is missing from the whole", () => {
  const lost = share(12, {
    status: "failed",
    ledger: ledgerWith({ sent: 12, ok: 11, timeout: 1, frames: { received: 11, final: 11 } }),
  });
  const { checks } = merge(share(30), lost);
  const check = checks.find(({ name }) => name === "every message answered")!;
  assertEquals([check.passed, check.observed], [false, "41 of 42 (timeout 1)"]);
});

Deno.test("counts add up with the cause of a failure; texts stay separate unless they agree", () => {
  const merged = (...checks: Check[]) =>
    mergeCheck(checks.map((check, index) => ({ label: `shard ${index + 1}`, check })));
  assertEquals(merged(countOf(3), countOf(4)), countOf(7));
  const failed = merged(countOf(3), countOf(4, { wanted: 5, why: "lost" }));
  assertEquals([failed.passed, failed.seen, failed.wanted], [false, 7, 8]);
  assertEquals(failed.observed, "7 of 8; shard 2: 4 of 5; first failure: lost");
  assertEquals(merged(textCheck("3"), textCheck("3")).observed, "3");
  assertEquals(merged(textCheck("3"), textCheck("4")).observed, "shard 1: 3; shard 2: 4");
});

Deno.test("the worst shard decides the validity, and warnings name their shard", () => {
  const bound = { kind: "clientCpu", message: "client-bound", clientCpu: 0.95 };
  const busy = share(1, {
    validity: {
      ...{ valid: false, client: "bound", clientShare: 0.95, clientShareCi95: [0.91, 0.99] },
      ...{ clientCpu: 0.95, loopLagP99Ns: null, warnings: [bound] },
    },
  });
  const { validity } = merge(share(1), busy);
  assertEquals(validity, {
    ...{ valid: false, client: "bound", clientShare: 0.95, clientShareCi95: [0.91, 0.99] },
    ...{ clientCpu: 0.95, loopLagP99Ns: 1e6 },
    warnings: [{ ...bound, message: "shard 2: client-bound" }],
  });
  assertEquals(merge(busy, busy).validity.warnings, [bound]);
});

function measuredAt(startMs: number, endMs = startMs + 1_000): ScenarioReport {
  return share(1, { measured: { plannedStartMs: null, epochs: [{ startMs, endMs }] } });
}

Deno.test("rates add up only over an interval that all shards share", () => {
  assertEquals(merge(measuredAt(0), measuredAt(90)).validity.warnings, []);
  const [warning] = merge(measuredAt(0), measuredAt(600), measuredAt(100)).validity.warnings;
  assertEquals([warning!.kind, warning!.epoch, warning!.share], ["notTogether", 1, 0.4]);
  assertStringIncludes(warning!.message, "not together: in epoch 1 only 40 %");
  assertStringIncludes(warning!.message, "all shards, so their rates do not add up: give all");
  const parts = [0, 600].map((startMs) => ({ clock: null, report: measuredAt(startMs) }));
  const [ofWorkers] = togetherWarnings(parts, "workers");
  assert(ofWorkers!.message.endsWith("all workers, so their rates do not add up"));
  assertEquals(merge(measuredAt(0), measuredAt(5_000)).validity.valid, false);
});

Deno.test("clocks count as different only beyond the error of their estimates", () => {
  const at = (offsetMs: number, startMs: number) => ({
    clock: { offsetMs, errorMs: 2 },
    report: measuredAt(startMs),
  });
  // The second clock is 500 ms behind the server's, so its start at -500 was at 0.
  assertEquals(togetherWarnings([at(0, 0), at(500, -500)], "shards"), []);
  assertEquals(inOneTime([at(0, 0), at(500, -500)])[1]!.epochs[0]!.startMs, 0);
  assertEquals(inOneTime([at(0, 0), at(4, 0)])[1]!.epochs[0]!.startMs, 0);
  assertEquals(inOneTime([at(0, 0), at(5, 0)])[1]!.epochs[0]!.startMs, 5);
});

const TWO_SHARDS: MergeOptions = { of: "shards", command: ["x"], count: 2 };

function withVerdict(reasons: Report["verdict"]["reasons"]): Report {
  const report = { ...sampleReport("passed"), scenarios: [share(10)] };
  return { ...report, verdict: { status: "failed", exitCode: 1, reasons } };
}

Deno.test("a reason that all shards give appears once, others name their shard", () => {
  const same = { code: 1, kind: "failed", scenario: "soak", message: "same" };
  const own = { code: 1, kind: "failed", scenario: null, message: "own" };
  const report = mergeReports([
    { index: 2, report: withVerdict([same, own]) },
    { index: 1, report: withVerdict([same]) },
  ], TWO_SHARDS);
  assertEquals(report.verdict.reasons, [same, { ...own, message: "shard 2: own" }]);
  assertEquals(report.command, ["x"]);
  assertEquals(report.merged!.parts.map(({ index }) => index), [1, 2]);
});

Deno.test("the verdict counts what all shards lost together", () => {
  const ledger = ledgerWith({
    ...{ sent: 10, ok: 8, rateLimited: 2, errorCodes: { OVER_CAPACITY: 2 } },
    frames: { received: 10, final: 10 },
  });
  const checks = callChecks({ ledger, warmupLedger: ledgerWith({}) });
  const failing = share(10, { status: "failed", ledger, checks });
  const [reason] = failedCheckReasons(failing);
  assertStringIncludes(reason!.message, "observed rateLimited 2 (OVER_CAPACITY 2)");
  const report = { ...withVerdict([reason!]), scenarios: [failing] };
  const merged = mergeReports([{ index: 1, report }, { index: 2, report }], TWO_SHARDS);
  assertEquals(merged.verdict.reasons, [
    { ...reason!, message: reason!.message.replaceAll("2", "4") },
  ]);
  assertEquals(merged.verdict.exitCode, 1);
});

Deno.test("a limiter that refused calls of a shard is reported before one that was only found", () => {
  const found = { scenario: null, atCall: 51, message: "slow down" };
  const parts = [found, { ...found, scenario: "soak" }].map((rateLimit, index) => ({
    index: index + 1,
    report: { ...withVerdict([]), rateLimit },
  }));
  assertEquals(mergeReports(parts, TWO_SHARDS).rateLimit?.scenario, "soak");
  assertEquals(mergeReports([parts[0]!], TWO_SHARDS).rateLimit?.scenario, null);
});

Deno.test("merging does not depend on the order of the files", () => {
  const parts = [1, 2, 3].map((index) => ({ index, report: withVerdict([]) }));
  const options = { ...TWO_SHARDS, count: 3 };
  const merged = mergeReports(parts, options);
  assertEquals(mergeReports(parts.toReversed(), options), merged);
  assertEquals(merged.scenarios[0]!.ledger.ok, 30);
});

Deno.test("what a lost worker measured counts, and the report says that the rest is missing", () => {
  const report = { ...withVerdict([]), scenarios: [share(10)] };
  const merged = mergeReports([{ index: 1, report }, { index: 2, report }], {
    ...TWO_SHARDS,
    of: "workers",
    lost: [{ index: 2, reason: "Out of luck" }],
  });
  const { ledger, validity } = merged.scenarios[0]!;
  assertEquals([ledger.ok, validity.valid], [20, false]);
  assertEquals(validity.warnings.map(({ kind, index }) => [kind, index]), [["missingPart", 2]]);
  const [reason] = merged.verdict.reasons;
  assertEquals([reason!.kind, reason!.code], ["lostPart", 1]);
  assertStringIncludes(reason!.message, "worker 2 of 2 died: Out of luck");
  assertEquals(merged.merged!.parts.map(({ lost }) => lost), [null, "Out of luck"]);
});

Deno.test("only the epochs that all shards measured count", () => {
  const early = { ...withVerdict([]), epochs: 3 };
  const merged = mergeReports(
    [{ index: 1, report: withVerdict([]) }, { index: 2, report: early }],
    TWO_SHARDS,
  );
  assertEquals(merged.epochs, 3);
});

/** A soak whose median doubles after half of 13 intervals of a second, or a shorter one. */
function soakOf(calls: number, { seconds = 13 } = {}): ScenarioReport {
  const series = { intervalMs: 1_000, startNs: 0 };
  using recorder = new DistributionRecorder({ mergeable: true, series });
  recorder.startEpoch();
  for (let second = 0; second < seconds; second++) {
    for (let call = 0; call < calls; call++) {
      recorder.record(second < 6 ? 1_000 : 2_000, second * 1e9 + call);
    }
  }
  recorder.endEpoch();
  const latency = { name: "latency", better: "lower", role: "headline", seed: 1 } as const;
  const change = (name: string, merge: "p50" | "count"): Metric =>
    summariseScalar({
      ...{ name, unit: "x", better: "lower", role: "detail", epochs: [5], ci95: null, merge },
    });
  const metrics = [change("changeP50", "p50"), change("changeThroughput", "count")];
  return share(13 * calls, { metrics: [recorder.distribution(latency)!, ...metrics] });
}

Deno.test("changes over a run are those of the merged series, not the sum of the shards'", () => {
  const { metrics } = merge(soakOf(10), soakOf(30));
  const changes = metrics.flatMap((one) => one.kind === "scalar" ? [[one.name, one.value]] : []);
  assertEquals(changes, [["changeP50", 2], ["changeThroughput", 1]]);
  const { metrics: [latency, ...others], notMeasured } = merge(
    soakOf(10, { seconds: 5 }),
    soakOf(10, { seconds: 5 }),
  );
  assertEquals([latency!.name, others], ["latency", []]);
  assertEquals(notMeasured.map(({ name, reason }) => `${name}: ${reason}`), [
    "changeP50: the shards have too few intervals in common",
    "changeThroughput: the shards have too few intervals in common",
  ]);
});
