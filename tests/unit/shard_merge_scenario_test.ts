import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Report, ScenarioReport } from "../../lib/schema.ts";
import { mergeReports } from "../../lib/split/merge.ts";
import { mergeTexts } from "../../lib/split/merge_checks.ts";
import { mergeScenario } from "../../lib/split/merge_scenario.ts";
import type { MergeOptions } from "../../lib/split/parts.ts";
import { inOneTime, togetherWarnings } from "../../lib/split/together.ts";
import { sampleReport } from "../support/sample_report.ts";
import { ledgerWith } from "../support/targets.ts";

/** The scenario of one shard: so many calls, all served, in rounds from 0 to 1,000 ms unless told otherwise. */
function share(ok: number, change: Partial<ScenarioReport> = {}): ScenarioReport {
  return {
    name: "open-loop",
    question: "?",
    status: "passed",
    reason: null,
    startedAt: "2026-01-31T12:00:00.000Z",
    durationMs: 1_500,
    parameters: { rounds: 1, connections: 4 },
    checks: [
      {
        name: "every slot sent",
        passed: true,
        expected: `${ok} of ${ok}`,
        observed: `${ok} of ${ok}`,
      },
      { name: "something else", passed: true, expected: "none", observed: "none" },
      { name: "no error replies", passed: true, expected: "none", observed: "none" },
    ],
    notMeasured: [],
    warmupLedger: ledgerWith({}),
    ledger: ledgerWith({ sent: ok, ok, frames: { received: ok, final: ok } }),
    metrics: [],
    validity: { valid: true, clientCpu: 0.2, loopLagP99Ns: 1e6, warnings: [] },
    notes: [],
    measured: { plannedStartMs: 0, rounds: [{ startMs: 0, endMs: 1_000 }] },
    share: { connections: 2, of: 4 },
    ...change,
  };
}

function merge(...reports: ScenarioReport[]): ScenarioReport {
  const parts = reports.map((report, index) => ({
    ...{ label: `shard ${index + 1}`, clock: null, report },
  }));
  return mergeScenario(parts, 1);
}

Deno.test("counts of checks are added, and those on the ledger made of the whole one", () => {
  const { checks, ledger, status, share: rest } = merge(share(30), share(12));
  assertEquals(checks.map(({ name }) => name), [
    ...["every slot sent", "something else", "every message answered", "no error replies"],
    ...["no stray frames", "ledger reconciles"],
  ]);
  const observed = Object.fromEntries(checks.map(({ name, observed }) => [name, observed]));
  assertEquals(observed["every slot sent"], "42 of 42");
  assertEquals(observed["something else"], "none");
  assertEquals(observed["every message answered"], "42 of 42");
  assertEquals(observed["ledger reconciles"], "all equations hold");
  assertEquals([ledger.ok, status, rest], [42, "passed", undefined]);
});

Deno.test("a check that fails on one shard fails, and says where", () => {
  const failing = share(12, {
    status: "failed",
    checks: [{ name: "something else", passed: false, expected: "none", observed: "late 3" }],
  });
  const { checks, status } = merge(share(30), failing);
  const check = checks.find(({ name }) => name === "something else")!;
  assertEquals([status, check.passed], ["failed", false]);
  assertEquals(check.observed, "shard 1: none; shard 2: late 3");
});

Deno.test("a lost message of one shard is the whole's", () => {
  const lost = share(12, {
    status: "failed",
    ledger: ledgerWith({ sent: 12, ok: 11, timeout: 1, frames: { received: 11, final: 11 } }),
  });
  const { checks } = merge(share(30), lost);
  const check = checks.find(({ name }) => name === "every message answered")!;
  assertEquals([check.passed, check.observed], [false, "41 of 42 (timeout 1)"]);
});

Deno.test("texts with counts of the same kind are added, others stay apart", () => {
  const texts = (...all: string[]) =>
    mergeTexts(all.map((text, index) => ({ label: `shard ${index + 1}`, text })));
  assertEquals(texts("3 of 4, to the end", "4 of 4, to the end"), "7 of 8, to the end");
  assertEquals(texts("3 of 4", "4 of 4 (lost)"), "shard 1: 3 of 4; shard 2: 4 of 4 (lost)");
  assertEquals(texts("none", "none"), "none");
});

Deno.test("the worst of the shards is the whole's validity, and warnings say whose they are", () => {
  const busy = share(1, {
    validity: { valid: false, clientCpu: 0.95, loopLagP99Ns: null, warnings: ["client-bound"] },
  });
  const { validity } = merge(share(1), busy);
  assertEquals(validity, {
    ...{ valid: false, clientCpu: 0.95, loopLagP99Ns: 1e6 },
    warnings: ["shard 2: client-bound"],
  });
  assertEquals(merge(busy, busy).validity.warnings, ["client-bound"]);
});

function measuredAt(startMs: number, endMs = startMs + 1_000): ScenarioReport {
  return share(1, { measured: { plannedStartMs: null, rounds: [{ startMs, endMs }] } });
}

Deno.test("rates add up over an interval that was common to all shards", () => {
  assertEquals(merge(measuredAt(0), measuredAt(90)).validity.warnings, []);
  const [warning] = merge(measuredAt(0), measuredAt(600), measuredAt(100)).validity.warnings;
  assertStringIncludes(warning!, "not together: in round 1 only 40 %");
  assertEquals(merge(measuredAt(0), measuredAt(5_000)).validity.valid, false);
});

Deno.test("clocks count as different only by more than their estimates may be wrong", () => {
  const at = (offsetMs: number, startMs: number) => ({
    clock: { offsetMs, errorMs: 2 },
    report: measuredAt(startMs),
  });
  // The second clock is 500 ms behind the server's, so that its start at -500 was at 0.
  assertEquals(togetherWarnings([at(0, 0), at(500, -500)]), []);
  assertEquals(inOneTime([at(0, 0), at(500, -500)])[1]!.rounds[0]!.startMs, 0);
  assertEquals(inOneTime([at(0, 0), at(4, 0)])[1]!.rounds[0]!.startMs, 0);
  assertEquals(inOneTime([at(0, 0), at(5, 0)])[1]!.rounds[0]!.startMs, 5);
});

function withVerdict(reasons: Report["verdict"]["reasons"]): Report {
  const report = { ...sampleReport("passed"), scenarios: [share(10)] };
  return { ...report, verdict: { status: "failed", exitCode: 1, reasons } };
}

Deno.test("reasons that all shards give are told once, others with their shard", () => {
  const same = { code: 1, scenario: "soak", message: "same" };
  const own = { code: 1, scenario: null, message: "own" };
  const report = mergeReports([
    { index: 2, report: withVerdict([same, own]) },
    { index: 1, report: withVerdict([same]) },
  ], { of: "shards", command: ["x"], count: 2 });
  assertEquals(report.verdict.reasons, [same, { ...own, message: "shard 2: own" }]);
  assertEquals(report.command, ["x"]);
  assertEquals(report.merged!.parts.map(({ index }) => index), [1, 2]);
});

Deno.test("the verdict counts what the whole lost, not what each shard did", () => {
  const frames = { received: 10, final: 10 };
  const failing = share(10, {
    status: "failed",
    ledger: ledgerWith({
      sent: 10,
      ok: 8,
      rateLimited: 2,
      errorCodes: { OVER_CAPACITY: 2 },
      frames,
    }),
    checks: [
      {
        name: "no error replies",
        passed: false,
        expected: "none",
        observed: "rateLimited 2 (OVER_CAPACITY 2)",
      },
    ],
  });
  const message = "no error replies: expected none, observed rateLimited 2 (OVER_CAPACITY 2)";
  const reason = { code: 1, scenario: "open-loop", message };
  const report = { ...withVerdict([reason]), scenarios: [failing] };
  const merged = mergeReports([{ index: 1, report }, { index: 2, report }], {
    ...{ of: "shards", command: ["x"], count: 2 },
  });
  assertEquals(merged.verdict.reasons, [
    { ...reason, message: message.replaceAll("2", "4") },
  ]);
  assertEquals(merged.verdict.exitCode, 1);
});

Deno.test("merging is independent of the order of the files", () => {
  const parts = [1, 2, 3].map((index) => ({ index, report: withVerdict([]) }));
  const options: MergeOptions = { of: "shards", command: ["x"], count: 3 };
  const merged = mergeReports(parts, options);
  assertEquals(mergeReports(parts.toReversed(), options), merged);
  assert(merged.scenarios[0]!.ledger.ok === 30);
});
