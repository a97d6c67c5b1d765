import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Metric, Report, ScenarioReport } from "../../lib/schema.ts";
import { compareReports, IncomparableError } from "../../lib/stats/compare.ts";
import { DistributionRecorder, summariseScalar } from "../../lib/stats/summary.ts";
import { sampleReport, sampleScenario } from "../support/sample_report.ts";

function throughput(value: number, options: { name?: string; rounds?: number } = {}): Metric {
  const { name = "throughput", rounds = 10 } = options;
  const values = Array.from({ length: rounds }, (_, index) => value * (1 + index / 2_000));
  return summariseScalar({ name, unit: "msg/s", rounds: values, better: "higher", seed: 1 });
}

function latency(
  ns: number,
  options: { name?: string; rounds?: number; samples?: number } = {},
): Metric {
  const { name = "latency", rounds = 10, samples = 20 } = options;
  using recorder = new DistributionRecorder();
  for (let round = 0; round < rounds; round++) {
    recorder.startRound();
    for (let sample = 0; sample < samples; sample++) recorder.record(ns * (1 + round / 500));
    recorder.endRound();
  }
  return recorder.distribution(name, { better: "lower", seed: 1 })!;
}

function reportOf(...scenarios: ScenarioReport[]): Report {
  return { ...sampleReport("passed"), scenarios };
}

function single(...metrics: Metric[]): Report {
  return reportOf(sampleScenario("message-throughput", { metrics }));
}

/** The rows as `scenario metric statistic verdict`, those that do not decide in brackets. */
function outline(oldReport: Report, newReport = oldReport): string[] {
  return compareReports(oldReport, newReport).rows.map((row) => {
    const text = `${row.scenario} ${row.metric} ${row.statistic} ${row.verdict}`;
    return row.gating ? text : `(${text})`;
  });
}

Deno.test("compareReports finds what has become slower, and says so", () => {
  const comparison = compareReports(
    single(throughput(1_000), latency(1e6)),
    single(throughput(800), latency(1.25e6)),
  );
  assertEquals(comparison.rows.map(({ metric, verdict }) => [metric, verdict]), [
    ["throughput", "slower"],
    ["latency", "slower"],
  ]);
  assertEquals(comparison.regressions, [
    "message-throughput: throughput is down by 20.0 %",
    "message-throughput: latency p50 is up by 25.0 %",
  ]);
  const [row] = comparison.rows;
  assert(Math.abs(row.ratio - 0.8) < 1e-9 && row.ci95![0] < 0.8 && row.ci95![1] > 0.8);
  assertEquals([row.old, row.new], [1_002.25, 801.8]);
  assertEquals([row.oldRounds, row.newRounds, row.gating, row.unit], [10, 10, true, "msg/s"]);
});

Deno.test("compareReports finds what has become faster, which is no regression", () => {
  const comparison = compareReports(
    single(throughput(1_000), latency(1e6)),
    single(throughput(1_200), latency(0.8e6)),
  );
  assertEquals(comparison.rows.map(({ verdict }) => verdict), ["faster", "faster"]);
  assertEquals(comparison.regressions, []);
});

Deno.test("compareReports of a report with itself shows no difference", () => {
  const report = single(throughput(1_000), latency(1e6));
  assertEquals(outline(report), [
    "message-throughput throughput value ~",
    "message-throughput latency p50 ~",
  ]);
});

Deno.test("compareReports takes its noise band from the caller", () => {
  const [before, after] = [single(throughput(1_000)), single(throughput(950))];
  assertEquals(compareReports(before, after).rows[0].verdict, "slower");
  const { rows, noisePercent } = compareReports(before, after, { noisePercent: 10 });
  assertEquals([rows[0].verdict, noisePercent], ["~", 10]);
});

Deno.test("compareReports gates tails where they fit, and only those that were measured", () => {
  const many = { samples: 1_000 };
  assertEquals(outline(single(throughput(1_000), latency(1e6, many))), [
    "message-throughput throughput value ~",
    "message-throughput latency p50 ~",
    "message-throughput latency p95 ~",
    "message-throughput latency p99 ~",
  ]);
  assertEquals(outline(single(latency(1e6, { samples: 200 }))), [
    "message-throughput latency p50 ~",
    "message-throughput latency p95 ~",
  ]);
  // The p95 of the whole is there on both sides, those of the rounds of the new one are not.
  const before = single(latency(1e6, { samples: 200 }));
  assertEquals(outline(before, single(latency(1e6, { samples: 199 }))), [
    "message-throughput latency p50 ~",
  ]);
});

Deno.test("compareReports gates at most 8 rows: throughput, p50, then p95, then p99", () => {
  function sized(count: number): Report {
    const metrics = [throughput(1_000), latency(1e6, { samples: 1_000 })];
    const names = Array.from({ length: count }, (_, index) => `s${index + 1}`);
    return reportOf(...names.map((name) => sampleScenario(name, { metrics })));
  }
  const three = outline(sized(3));
  assertEquals(three.filter((row) => !row.startsWith("(")).map((row) => row.slice(0, -2)), [
    "s1 throughput value",
    "s1 latency p50",
    "s1 latency p95",
    "s2 throughput value",
    "s2 latency p50",
    "s2 latency p95",
    "s3 throughput value",
    "s3 latency p50",
  ]);
  assertEquals(three.slice(8), [
    "(s1 latency p99 null)",
    "(s2 latency p99 null)",
    "(s3 latency p95 null)",
    "(s3 latency p99 null)",
  ]);
  const five = outline(sized(5)).filter((row) => !row.startsWith("("));
  assertEquals(five.length, 8);
  assert(five.every((row) => /value|p50/.test(row)), `${five}`);
});

Deno.test("compareReports adds no tail that would leave too few rounds for all rows", () => {
  const metrics = (rounds: number) => [
    throughput(1_000, { rounds }),
    latency(1e6, { rounds, samples: 1_000 }),
  ];
  const names = ["a", "b", "c"];
  const report = (rounds: number) =>
    reportOf(...names.map((name) => sampleScenario(name, { metrics: metrics(rounds) })));
  const gatingOf = (rows: string[]) => rows.filter((row) => !row.startsWith("("));
  assertEquals(gatingOf(outline(report(5))).length, 6); // 5 rounds carry 6 rows
  assertEquals(gatingOf(outline(report(6))).length, 8);
});

Deno.test("compareReports says how many rounds it takes", () => {
  const few = single(throughput(1_000, { rounds: 3 }));
  const [row] = compareReports(few, single(throughput(500, { rounds: 3 }))).rows;
  assertEquals([row.verdict, row.roundsNeeded, row.ci95], ["too few rounds", 4, null]);
});

Deno.test("compareReports takes the metric that answers the scenario's question", () => {
  const connection = ["connect", "authenticate", "establish", "close"];
  assertEquals(outline(single(...connection.map((name) => latency(1e6, { name })))), [
    "message-throughput establish p50 ~",
  ]);
  const pipelining = ["latency@1", "latency@64"].map((name) => latency(1e6, { name }));
  const rates = ["throughput@1", "throughput@64"].map((name) => throughput(1_000, { name }));
  assertEquals(outline(single(...pipelining, ...rates)), [
    "message-throughput throughput@64 value ~",
    "message-throughput latency@64 p50 ~",
  ]);
  const tried = [
    throughput(900, { name: "sustainableRate" }),
    latency(1e6, { name: "latency@900" }),
  ];
  assertEquals(outline(single(...tried)), ["message-throughput sustainableRate value ~"]);
  const neither = { ...latency(1e6), better: null };
  assertEquals(outline(single(neither, latency(1e6, { name: "reject" }))), [
    "message-throughput reject p50 ~",
  ]);
  assertEquals(outline(single(neither)), []);
});

Deno.test("compareReports makes no row of a metric that only one report has", () => {
  assertEquals(outline(single(throughput(1_000)), single(latency(1e6))), []);
});

Deno.test("compareReports calls a new kind of error a regression, an old one not", () => {
  function withErrors(timeout: number, toolError: number): Report {
    const scenario = sampleScenario("message-throughput");
    return reportOf({ ...scenario, ledger: { ...scenario.ledger, timeout, toolError } });
  }
  const comparison = compareReports(withErrors(0, 2), withErrors(3, 5));
  assertEquals(comparison.newErrors, [
    { scenario: "message-throughput", kind: "timeout", count: 3 },
  ]);
  assertEquals(comparison.regressions.length, 1);
  assertEquals(compareReports(withErrors(3, 5), withErrors(0, 2)).regressions, []);
});

Deno.test("compareReports takes no error for new in a scenario that fails calls on purpose", () => {
  const scenario = sampleScenario("saturation");
  const after = { ...scenario, overloads: true, ledger: { ...scenario.ledger, timeout: 3 } };
  assertEquals(compareReports(reportOf(scenario), reportOf(after)).newErrors, []);
});

Deno.test("compareReports lists scenarios that only one report has", () => {
  const before = reportOf(sampleScenario("a"), sampleScenario("b"));
  const after = reportOf(sampleScenario("b"), sampleScenario("c"));
  const { onlyInOld, onlyInNew } = compareReports(before, after);
  assertEquals([onlyInOld, onlyInNew], [["a"], ["c"]]);
});

Deno.test("compareReports refuses what is not comparable, naming each difference", () => {
  const report = single(throughput(1_000));
  const { target, environment } = report;
  const parameters = (added: ScenarioReport["parameters"]) =>
    reportOf({ ...report.scenarios[0], parameters: { rounds: 10, seed: 1, ...added } });
  const external: Report = { ...report, target: { ...target, kind: "external", url: "ws://a/" } };
  const cases: [Report, Report, string][] = [
    [report, { ...report, profile: "quick" }, `profile: "${report.profile}" -> "quick"`],
    [
      report,
      { ...report, target: { ...target, tool: "version" } },
      `target.tool: "${target.tool}" -> "version"`,
    ],
    [
      report,
      { ...report, target: { ...target, protocol: "echo" } },
      `target.protocol: "${target.protocol}" -> "echo"`,
    ],
    [
      external,
      { ...external, target: { ...external.target, url: "ws://b/" } },
      'target.url: "ws://a/" -> "ws://b/"',
    ],
    [
      report,
      { ...report, environment: { ...environment, cpuCount: 99 } },
      `environment.cpuCount: ${environment.cpuCount} -> 99`,
    ],
    [
      parameters({ payloadBytes: 10 }),
      parameters({ payloadBytes: 20 }),
      "message-throughput.payloadBytes: 10 -> 20",
    ],
    [parameters({}), parameters({ rate: 5 }), "message-throughput.rate: none -> 5"],
    [report, reportOf(sampleScenario("other")), "scenarios: the reports have none in common"],
  ];
  for (const [before, after, difference] of cases) {
    const error = assertThrows(() => compareReports(before, after), IncomparableError, difference);
    assertEquals(error.differences, [difference]);
    assertEquals(compareReports(before, after, { force: true }).differences, [difference]);
  }
});

Deno.test("compareReports does not mind another port, or more rounds", () => {
  const report = single(throughput(1_000));
  const other: Report = {
    ...reportOf({ ...report.scenarios[0], parameters: { rounds: 20, seed: 7 } }),
    target: { ...report.target, url: "ws://127.0.0.1:1/" },
    seed: 99,
  };
  assertEquals([report.target.kind, compareReports(report, other).differences.length], [
    "embedded",
    0,
  ]);
});
