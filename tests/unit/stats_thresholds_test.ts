import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import type { Report, ScenarioReport, ThresholdResult } from "../../lib/schema.ts";
import { DistributionRecorder, summariseScalar } from "../../lib/stats/summary.ts";
import {
  evaluateThreshold,
  parseThreshold,
  ThresholdError,
  type ThresholdVocabulary,
} from "../../lib/stats/thresholds.ts";
import { sampleReport, sampleScenario } from "../support/sample_report.ts";

const distribution = { kind: "distribution", unit: "ns" } as const;
const rate = { kind: "scalar", unit: "msg/s" } as const;
const vocabulary: ThresholdVocabulary = {
  "message-throughput": { latency: distribution, throughput: rate },
  "concurrent-connections": {
    throughput: rate,
    fairness: { kind: "scalar", unit: "" },
    busy: { kind: "scalar", unit: "%" },
  },
  pipelining: { "throughput@N": rate, "latency@N": distribution },
  "overhead-breakdown": { "layer.socket": distribution },
  "connection-establishment": { coldEstablish: { kind: "scalar", unit: "ns" } },
  "rate-limit": { sessionBurst: { kind: "scalar", unit: "calls" } },
};

Deno.test("parseThreshold reads every form of the documentation", () => {
  const expression = "message-throughput.latency.p95<5ms";
  assertEquals(parseThreshold(expression, vocabulary), {
    expression,
    scenario: "message-throughput",
    metric: "latency",
    statistic: "p95",
    operator: "<",
    bound: 5e6,
    unit: "ns",
  });
  const forms: [string, unknown[]][] = [
    ["concurrent-connections.throughput>1000", ["throughput", null, ">", 1_000, "msg/s"]],
    ["concurrent-connections.throughput.value > 1e3 msg/s", [
      "throughput",
      null,
      ">",
      1e3,
      "msg/s",
    ]],
    ["concurrent-connections.fairness>=.9", ["fairness", null, ">=", 0.9, ""]],
    ["concurrent-connections.busy<80%", ["busy", null, "<", 80, "%"]],
    ["pipelining.throughput@8>=10000", ["throughput@8", null, ">=", 10_000, "msg/s"]],
    ["pipelining.latency@64.p99 <= 2.5 ms", ["latency@64", "p99", "<=", 2.5e6, "ns"]],
    ["overhead-breakdown.layer.socket.max<1s", ["layer.socket", "max", "<", 1e9, "ns"]],
    ["message-throughput.latency.p99.9<7µs", ["latency", "p999", "<", 7e3, "ns"]],
    ["message-throughput.latency.count=500", ["latency", "count", "=", 500, ""]],
    ["connection-establishment.coldEstablish<20us", ["coldEstablish", null, "<", 20e3, "ns"]],
    ["message-throughput.errors=0", ["errors", null, "=", 0, ""]],
    ["errors=0", ["errors", null, "=", 0, ""]],
    ["errors<0.1%", ["errors", null, "<", 0.1, "%"]],
  ];
  for (const [text, expected] of forms) {
    const { metric, statistic, operator, bound, unit } = parseThreshold(text, vocabulary);
    assertEquals([metric, statistic, operator, bound, unit], expected, text);
  }
});

Deno.test("parseThreshold names the expression, what is wrong, and what is accepted", () => {
  const mistakes: [string, string][] = [
    ["", "it is not METRIC OP VALUE: as OP are accepted <, <=, >, >= and ="],
    ["errors", "it is not METRIC OP VALUE"],
    ["errors==0", "it is not METRIC OP VALUE"],
    ["errors!=0", "it is not METRIC OP VALUE"],
    ["0<errors<5", "it is not METRIC OP VALUE"],
    ["nope.latency.p95<5ms", '"nope" is no scenario: accepted are message-throughput, concurrent'],
    ["constructor.name<5ms", '"constructor" is no scenario'],
    ["latency.p95<5ms", '"latency" is no scenario'],
    ["message-throughput<5", "it names no metric: accepted are latency, throughput, errors"],
    ["message-throughput.latncy.p95<5ms", '"latncy.p95" is no metric: accepted are latency'],
    ["pipelining.throughput>5", '"throughput" is no metric: accepted are throughput@N, latency@N'],
    ["pipelining.throughput@N>5", '"throughput@N" is no metric'],
    ["message-throughput.latency<5ms", "it names no statistic of latency: accepted are count, min"],
    ["message-throughput.latency.p85<5ms", '"p85" is no statistic of latency: accepted are count'],
    [
      "message-throughput.throughput.p95>5",
      '"p95" is no statistic of throughput: accepted are value',
    ],
    ["message-throughput.latency.p95<5", "a time needs a unit: accepted are ns, us, µs, ms and s"],
    ["message-throughput.latency.p95<5min", '"min" is not a unit of time'],
    [
      "message-throughput.throughput>5ms",
      'the unit "ms" does not fit: accepted is msg/s, or no unit',
    ],
    [
      "message-throughput.latency.count>5ms",
      '"ms" does not fit: accepted is a number without a unit',
    ],
    ["errors=none", '"none" is not a number with a unit'],
    ["errors=1,000", 'the unit ",000" does not fit'],
  ];
  for (const [text, message] of mistakes) {
    const error = assertThrows(() => parseThreshold(text, vocabulary), ThresholdError, message);
    assertEquals(error.message.startsWith(`Cannot read the threshold "${text}" as `), true);
  }
});

function measuredScenario(): ScenarioReport {
  using recorder = new DistributionRecorder();
  for (let index = 1; index <= 200; index++) recorder.record(index * 1_000);
  const latency = recorder.distribution("latency", { better: "lower", seed: 1 })!;
  const throughput = summariseScalar({
    name: "throughput",
    unit: "msg/s",
    rounds: [1_000],
    better: "higher",
    seed: 1,
  });
  const scenario = sampleScenario("message-throughput", { metrics: [latency, throughput] });
  scenario.ledger = {
    ...scenario.ledger,
    sent: 200,
    ok: 196,
    timeout: 1,
    toolError: 2,
    aborted: 1,
  };
  return scenario;
}

function evaluate(expression: string, ...scenarios: ScenarioReport[]): ThresholdResult {
  const report: Report = { ...sampleReport("passed"), scenarios };
  return evaluateThreshold(parseThreshold(expression, vocabulary), report);
}

Deno.test("evaluateThreshold holds the figure against the bound", () => {
  const scenario = measuredScenario();
  const cases: [string, boolean][] = [
    ["message-throughput.latency.max<200us", false],
    ["message-throughput.latency.max<=200us", true],
    ["message-throughput.latency.max=200us", true],
    ["message-throughput.latency.max>=0.2ms", true],
    ["message-throughput.latency.max>200us", false],
    ["message-throughput.latency.p95<0.2ms", true],
    ["message-throughput.throughput>999.9", true],
    ["message-throughput.throughput<1000", false],
    ["message-throughput.latency.count=200", true],
  ];
  for (const [expression, passed] of cases) {
    const result = evaluate(expression, scenario);
    assertEquals([result.passed, result.reason, result.expression], [passed, null, expression]);
  }
  assertEquals(evaluate("message-throughput.latency.max<200us", scenario), {
    expression: "message-throughput.latency.max<200us",
    observed: 200_000,
    unit: "ns",
    passed: false,
    reason: null,
  });
});

Deno.test("evaluateThreshold counts the errors of one scenario, or of all", () => {
  const scenario = measuredScenario();
  const other = sampleScenario("pipelining");
  other.ledger = { ...other.ledger, sent: 100, ok: 99, connectionLost: 1 };
  assertEquals(evaluate("errors=0", scenario, other).observed, 4);
  assertEquals(evaluate("message-throughput.errors<=3", scenario, other).observed, 3);
  assertEquals(evaluate("message-throughput.errors<=3", scenario, other).passed, true);
  const share = evaluate("errors<1%", scenario, other);
  assertAlmostEquals(share.observed!, 400 / 300, 1e-9);
  assertEquals([share.unit, share.passed], ["%", false]);
});

Deno.test("errors that a scenario provokes are bounded only by its name", () => {
  const limited = sampleScenario("rate-limit");
  limited.ledger = { ...limited.ledger, sent: 60, ok: 50, rateLimited: 10 };
  limited.overloads = true;
  assertEquals(evaluate("errors=0", limited, sampleScenario("pipelining")).observed, 0);
  assertEquals(evaluate("rate-limit.errors=0", limited).observed, 10);
  const alone = evaluate("errors=0", limited);
  assertEquals([alone.passed, alone.observed], [false, null]);
  assertEquals(alone.reason, "all that was run fails calls on purpose: bound SCENARIO.errors");
  limited.overloads = false;
  assertEquals(evaluate("errors=0", limited).observed, 10);
});

Deno.test("evaluateThreshold fails what was not measured, and says why", () => {
  const skipped: ScenarioReport = { ...measuredScenario(), status: "skipped" };
  const cases: [string, ScenarioReport[], string][] = [
    ["message-throughput.throughput>0", [], "message-throughput was not run"],
    ["message-throughput.throughput>0", [skipped], "message-throughput was not run"],
    ["errors=0", [], "no scenario was run"],
    ["errors<1%", [sampleScenario("pipelining")], "no call was sent"],
    ["pipelining.throughput@8>0", [sampleScenario("pipelining")], "throughput@8 was not measured"],
    [
      "message-throughput.latency.p99<1s",
      [measuredScenario()],
      "p99 would rest on too few samples: 200 were taken",
    ],
  ];
  for (const [expression, scenarios, reason] of cases) {
    const { observed, passed, reason: given } = evaluate(expression, ...scenarios);
    assertEquals([observed, passed, given], [null, false, reason]);
  }
});
