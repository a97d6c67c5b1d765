import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import type { ComparisonRow, Ledger, Metric, Report, ScenarioReport } from "../../lib/schema.ts";
import { IncomparableError } from "../../lib/stats/comparability.ts";
import { compareReports } from "../../lib/stats/compare.ts";
import { chanceOfSoMany } from "../../lib/stats/ledger_errors.ts";
import {
  latencyOf,
  ledgerOf,
  reportOf,
  scenarioOf,
  throughputOf,
} from "../support/comparable_report.ts";

const NAME = "message-throughput";
const defaults = { noisePercent: null, bandPercent: 3, force: false };

function single(...metrics: Metric[]): Report {
  return reportOf(scenarioOf(NAME, { metrics }));
}

/** Four earlier runs that differ by up to 2 %. */
function four(of: (factor: number) => Report): Report[] {
  return [0.99, 1, 1, 1.01].map(of);
}

const rates = four((factor) => single(throughputOf(1_000 * factor)));

/** The rows as `metric point statistic: verdict (why)`, in brackets if they do not gate. */
function outline(rows: readonly ComparisonRow[]): string[] {
  return rows.map(({ metric, at = {}, statistic, verdict, why, gating }) => {
    const name = [metric, ...Object.values(at), statistic].join(" ");
    const text = `${name}: ${verdict}${why === null ? "" : ` (${why})`}`;
    return gating ? text : `[${text}]`;
  });
}

Deno.test("compareReports learns the noise from four earlier runs and finds what is slower", () => {
  const comparison = compareReports(rates, single(throughputOf(750)), defaults);
  const { noise, baselines, rows, regressions } = comparison;
  assertEquals([noise, baselines, regressions], ["learned", 4, [
    "message-throughput: throughput is down by 25.0 %",
  ]]);
  const [row] = rows;
  assertEquals([row.scenario, row.unit, row.better, row.new], [NAME, "msg/s", "higher", 750]);
  assertAlmostEquals(row.old!, 1_000, 0.1);
  assert(row.ci![0] < 0.75 && row.ci![1] < 0.8 && row.smallest! > 1.03);
  assertEquals(outline(rows), ["throughput value: slower"]);
  assertEquals(outline(compareReports(rates, single(throughputOf(1_300)), defaults).rows), [
    "throughput value: faster",
  ]);
  const wide = compareReports(rates, single(throughputOf(1_000)), { ...defaults, bandPercent: 10 });
  assertEquals([outline(wide.rows), wide.regressions], [["throughput value: same"], []]);
});

Deno.test("with fewer runs nothing gates, unless the noise is stated", () => {
  const now = single(throughputOf(500));
  const unknown = compareReports(rates.slice(1), now, defaults);
  assertEquals([unknown.noise, unknown.regressions], ["unknown", []]);
  assertEquals(outline(unknown.rows), ["[throughput value: undecided (tooFewBaselines)]"]);
  assertEquals([unknown.rows[0].need, unknown.rows[0].ratio! < 0.51], [1, true]);
  const stated = compareReports(rates.slice(0, 1), now, { ...defaults, noisePercent: 10 });
  assertEquals([stated.noise, stated.noisePercent, stated.bandPercent], ["stated", 10, 3]);
  assertEquals(outline(stated.rows), ["throughput value: slower"]);
  assertEquals(stated.regressions.length, 1);
});

Deno.test("each scenario names its gates; a headline or rate without any is only shown", () => {
  const report = single(
    latencyOf(1e6, { gates: ["p50", "p5"], samples: 200 }),
    throughputOf(1_000, { role: "headline", gates: undefined, at: { clients: 5 } }),
    throughputOf(1_000, { name: "other", role: "detail" }),
    latencyOf(1e6, { name: "gate", role: "gate", gates: ["p95"], samples: 200 }),
    { ...throughputOf(5, { name: "neither" }), better: null },
  );
  assertEquals(outline(compareReports([report, report, report, report], report, defaults).rows), [
    "latency p50: same",
    "latency p5: same",
    "[throughput 5 value: same]",
    "[other value: same]",
    "gate p95: same",
  ]);
});

Deno.test("a metric is compared at its own point", () => {
  const sweep = (deep: number) =>
    single(
      ...[1, 8].map((inFlight) =>
        throughputOf(inFlight === 8 ? deep : 1_000, { at: { inFlight, clients: 1 } })
      ),
    );
  const other = single(throughputOf(700, { at: { clients: 1, inFlight: 8 } }));
  const olds = Array.from({ length: 4 }, () => sweep(8_000));
  assertEquals(outline(compareReports(olds, sweep(4_000), defaults).rows), [
    "throughput 1 1 value: same",
    "throughput 8 1 value: slower",
  ]);
  assertEquals(outline(compareReports(olds, other, defaults).rows), [
    "throughput 1 8 value: slower",
    "throughput 1 1 value: undecided (vanished)",
  ]);
});

Deno.test("a p99 that is 5x slower because of 2 % of the calls is found by its row", () => {
  const gates: Metric["gates"] = ["p50", "p99"];
  const usual = four((factor) => single(latencyOf(1e6 * factor, { gates, samples: 1_000 })));
  const now = single(latencyOf(1e6, { gates, samples: 1_000, slowest: 20, slowNs: 5e6 }));
  const { rows, regressions } = compareReports(usual, now, { ...defaults, bandPercent: 10 });
  assertEquals(outline(rows), ["latency p50: same", "latency p99: slower"]);
  assertEquals(regressions, ["message-throughput: latency p99 is up by 400.0 %"]);
});

Deno.test("rows that vanished, are new or have too few samples are listed as undecided", () => {
  const many = latencyOf(1e6, { gates: ["p99"], samples: 1_000 });
  const few = latencyOf(1e6, { gates: ["p99"], samples: 50 });
  const list = (old: Report, now: Report) =>
    outline(compareReports([old, old, old, old], now, defaults).rows);
  assertEquals(list(single(many), single(few)), ["latency p99: undecided (tooFewSamples)"]);
  assertEquals(list(single(few), single(many)), ["latency p99: undecided (tooFewSamples)"]);
  assertEquals(list(single(many), single()), ["latency p99: undecided (vanished)"]);
  assertEquals(list(single(), single(many)), ["latency p99: undecided (notInBaselines)"]);
  const zero = throughputOf(0);
  assertEquals(list(single(throughputOf(5)), single(zero)), [
    "throughput value: undecided (notPositive)",
  ]);
  // Only three of the four earlier runs have it: too few to learn from.
  const mixed = [single(), ...rates.slice(1)];
  const { rows } = compareReports(mixed, single(throughputOf(500)), defaults);
  assertEquals([outline(rows), rows[0].need], [
    ["throughput value: undecided (tooFewBaselines)"],
    1,
  ]);
});

Deno.test("a time known only as a lower bound can be slower, not the same or faster", () => {
  const gates: Metric["gates"] = ["p50", "p95"];
  const answered = single(latencyOf(1e6, { gates, samples: 200 }));
  const silent = single(latencyOf(1e6, { gates, samples: 200, censored: 40 }));
  const list = (old: Report, now: Report) =>
    outline(compareReports([old, old, old, old], now, defaults).rows);
  assertEquals(list(answered, silent), ["latency p50: same", "latency p95: slower"]);
  assertEquals(list(silent, answered), ["latency p50: same", "latency p95: faster"]);
  const undecided = ["latency p50: same", "latency p95: undecided (noAnswer)"];
  assertEquals(list(silent, silent), undecided);
  // Equal to the lower bound of the others, which may have taken longer.
  const slow = single(latencyOf(1e6, { gates, samples: 240, slowest: 40, slowNs: 5e9 }));
  assertEquals(list(slow, silent), undecided);
  assertEquals(list(silent, slow), undecided);
});

Deno.test("a scenario that failed or is invalid on either side does not gate and says why", () => {
  const { validity } = scenarioOf(NAME);
  const given = (ratePerSecond: number, more: Partial<ScenarioReport> = {}) =>
    reportOf(scenarioOf(NAME, { metrics: [throughputOf(ratePerSecond)], ...more }));
  const invalid = { validity: { ...validity, valid: false } };
  for (const [more, why] of [[{ status: "failed" }, "failed"], [invalid, "invalid"]] as const) {
    const now = compareReports(rates, given(100, more), defaults);
    assertEquals(outline(now.rows), [`[throughput value: undecided (${why})]`]);
    const olds = rates.map(() => given(1_000, more));
    assertEquals(outline(compareReports(olds, given(100), defaults).rows), [
      `[throughput value: undecided (${why})]`,
    ]);
    assertEquals(now.regressions, []);
    // One of five earlier runs is left out; the other four are enough.
    const { rows } = compareReports([...rates, given(1, more)], given(700), defaults);
    assertEquals(outline(rows), ["throughput value: slower"]);
  }
});

function withLedger(sent: number, ledger: Partial<Ledger>, more: Partial<ScenarioReport> = {}) {
  return reportOf(scenarioOf(NAME, { ledger: ledgerOf(sent, ledger), ...more }));
}

Deno.test("more errors than chance explains are a regression, and a new kind always is", () => {
  const olds = [withLedger(1_000, { toolError: 2 }), withLedger(1_000, { toolError: 2 })];
  const errors = (...given: Parameters<typeof withLedger>) =>
    compareReports(olds, withLedger(...given), defaults);
  assertEquals(errors(1_000, { toolError: 4 }).newErrors, []);
  const { newErrors, regressions } = errors(1_000, { toolError: 9 });
  // 13 errors, a third of them expected in the new run: P(X >= 9) of binomial(13, 1/3).
  assertEquals(newErrors.map(({ kind, old, new: now }) => [kind, old, now]), [["toolError", 4, 9]]);
  assertAlmostEquals(newErrors[0].p, (11_440 + 2_288 + 312 + 26 + 1) / 3 ** 13, 1e-12);
  assertEquals(regressions, [
    "message-throughput: 9 × toolError, where the earlier runs had 4 in all",
  ]);
  assertEquals(errors(10_000, { toolError: 20 }).newErrors, [], "in ten times the calls");
  const fresh = errors(1_000, { timeout: 1, dropped: 1, errorCodes: { BUSY: 1 } });
  assertEquals(fresh.newErrors.map(({ kind, old }) => [kind, old]), [
    ["timeout", 0],
    ["dropped", 0],
    ["code BUSY", 0],
  ]);
  assertEquals(errors(1_000, { timeout: 1 }, { overloads: true }).newErrors, []);
  assertEquals(errors(1_000, { timeout: 1 }, { status: "failed" }).newErrors, []);
  assertEquals(chanceOfSoMany(0, { all: 5, share: 0.5 }), 1);
});

Deno.test("compareReports lists scenarios that only some reports have", () => {
  const olds = [reportOf(scenarioOf("a"), scenarioOf("b")), reportOf(scenarioOf("d"))];
  const now = reportOf(scenarioOf("b"), scenarioOf("c"));
  const { onlyInOld, onlyInNew } = compareReports(olds, now, { ...defaults, force: true });
  assertEquals([onlyInOld, onlyInNew], [["a", "d"], ["c"]]);
});

Deno.test("compareReports refuses incomparable reports and names each difference once", () => {
  const report = single(throughputOf(1_000));
  const { target, environment } = report;
  const parameters = (added: ScenarioReport["parameters"]) =>
    reportOf({ ...report.scenarios[0], parameters: { epochs: 10, seed: 1, ...added } });
  const external: Report = { ...report, target: { ...target, kind: "external", url: "ws://a/" } };
  const cases: [Report, Report, string][] = [
    [report, { ...report, profile: "quick" }, `profile: "${report.profile}" -> "quick"`],
    [
      report,
      { ...report, target: { ...target, tool: "version" } },
      'target.tool: "status" -> "ver',
    ],
    [report, { ...report, target: { ...target, noDelay: true } }, "target.noDelay: false -> true"],
    [
      external,
      { ...external, target: { ...external.target, url: "ws://b/" } },
      'target.url: "ws://a/" -> "ws://b/"',
    ],
    [
      report,
      { ...report, environment: { ...environment, cpuCount: 99 } },
      "environment.cpuCount: 2 -> 99",
    ],
    [
      parameters({ payloadBytes: 10 }),
      parameters({ payloadBytes: 20 }),
      "message-throughput.payloadBytes: 10 -> 20",
    ],
    [parameters({}), parameters({ rate: 5 }), "message-throughput.rate: none -> 5"],
    [report, reportOf(scenarioOf("other")), "scenarios: the reports have none in common"],
  ];
  for (const [before, after, difference] of cases) {
    const olds = [before, before];
    const { differences } = compareReports(olds, after, { ...defaults, force: true });
    assertEquals(differences.length, 1);
    assertStringIncludes(differences[0]!, difference);
    assertThrows(
      () => compareReports(olds, after, defaults),
      IncomparableError,
      `\n  - ${differences[0]}\nUse --force`,
    );
  }
});

Deno.test("compareReports lists each difference once, with the number of reports it concerns", () => {
  const report = single(throughputOf(1_000));
  const onCpus = (cpuCount: number): Report => ({
    ...report,
    profile: "quick",
    environment: { ...report.environment, cpuCount },
  });
  const olds = [onCpus(2), onCpus(4), onCpus(4)];
  const { differences } = compareReports(olds, { ...report, profile: "standard" }, {
    ...defaults,
    force: true,
  });
  assertEquals(differences, [
    'profile: "quick" -> "standard"',
    "environment.cpuCount: 4 -> 2 (2 of 3 earlier reports)",
  ]);
});

Deno.test("compareReports accepts another port, seed or number of epochs", () => {
  const report = single(throughputOf(1_000));
  const other: Report = {
    ...reportOf({ ...report.scenarios[0], parameters: { epochs: 20, seed: 7 } }),
    target: { ...report.target, url: "ws://127.0.0.1:2/" },
    seed: 99,
  };
  assertEquals(compareReports([report], other, defaults).differences, []);
});
