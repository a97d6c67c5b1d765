import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import type { ScenarioReport, ThresholdResult } from "../../lib/schema.ts";
import {
  evaluateThreshold,
  parseThreshold,
  ThresholdError,
  type ThresholdVocabulary,
} from "../../lib/stats/thresholds.ts";
import {
  latencyOf,
  ledgerOf,
  reportOf,
  scenarioOf,
  throughputOf,
} from "../support/comparable_report.ts";

const distribution = { kind: "distribution", unit: "ns" } as const;
const rate = { kind: "scalar", unit: "msg/s" } as const;
const vocabulary: ThresholdVocabulary = {
  "message-throughput": { latency: distribution, throughput: rate },
  "concurrent-connections": {
    throughput: rate,
    fairness: { kind: "scalar", unit: "" },
    busy: { kind: "scalar", unit: "%" },
  },
  pipelining: { throughput: rate, latency: distribution },
  "heavy-tools": { latency: distribution, throughput: rate },
  "connection-establishment": { coldEstablish: { kind: "scalar", unit: "ns" } },
  "rate-limit": { sessionBurst: { kind: "scalar", unit: "calls" } },
};

Deno.test("parseThreshold reads every documented form", () => {
  const expression = "message-throughput.latency.p95<5ms";
  assertEquals(parseThreshold(expression, vocabulary), {
    expression,
    scenario: "message-throughput",
    metric: "latency",
    at: null,
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
    ["message-throughput.latency.p5<1ms", ["latency", "p5", "<", 1e6, "ns"]],
    ["message-throughput.latency.p99.9<7µs", ["latency", "p999", "<", 7e3, "ns"]],
    ["message-throughput.latency.count=500", ["latency", "count", "=", 500, ""]],
    ["connection-establishment.coldEstablish<20us", ["coldEstablish", null, "<", 20e3, "ns"]],
    ["message-throughput.errors=0", ["errors", null, "=", 0, ""]],
    ["errors=0", ["errors", null, "=", 0, ""]],
    ["errors<0.1%", ["errors", null, "<", 0.1, "%"]],
  ];
  for (const [text, expected] of forms) {
    const { metric, at, statistic, operator, bound, unit } = parseThreshold(text, vocabulary);
    assertEquals([metric, statistic, operator, bound, unit], expected, text);
    assertEquals(at, null);
  }
});

Deno.test("parseThreshold reads the point of a metric measured at several points", () => {
  const forms: [string, unknown[]][] = [
    ["pipelining.throughput@8>=10000", ["throughput", "8", null]],
    ["pipelining.throughput@8.value>1", ["throughput", "8", null]],
    ["pipelining.throughput>1", ["throughput", null, null]],
    ["pipelining.latency@64.p99 <= 2.5 ms", ["latency", "64", "p99"]],
    ["pipelining.latency@64.p99.9<1s", ["latency", "64", "p999"]],
    ["heavy-tools.latency.chat.p50<1s", ["latency", "chat", "p50"]],
    ["heavy-tools.latency.a.b-c.max<1s", ["latency", "a.b-c", "max"]],
    ["heavy-tools.latency.p50<1s", ["latency", null, "p50"]],
    ["heavy-tools.throughput.chat>1", ["throughput", "chat", null]],
  ];
  for (const [text, expected] of forms) {
    const { metric, at, statistic } = parseThreshold(text, vocabulary);
    assertEquals([metric, at, statistic], expected, text);
  }
});

Deno.test("parseThreshold names the expression, what is wrong, and what is accepted", () => {
  const mistakes: [string, string][] = [
    ["", "it is not METRIC OP VALUE: accepted operators are <, <=, >, >= and ="],
    ["errors", "it is not METRIC OP VALUE"],
    ["errors==0", "it is not METRIC OP VALUE"],
    ["errors!=0", "it is not METRIC OP VALUE"],
    ["0<errors<5", "it is not METRIC OP VALUE"],
    [
      "nope.latency.p95<5ms",
      '"nope" is not a scenario: accepted are message-throughput, concurrent',
    ],
    ["constructor.name<5ms", '"constructor" is not a scenario'],
    ["latency.p95<5ms", '"latency" is not a scenario'],
    ["message-throughput<5", "it names no metric: accepted are latency, throughput, errors"],
    ["message-throughput.latncy.p95<5ms", '"latncy.p95" is not a metric: accepted are latency'],
    ["pipelining.latency@8<5ms", "it names no statistic of latency"],
    ["message-throughput.latency<5ms", "it names no statistic of latency: accepted are count, min"],
    [
      "message-throughput.latency.p85<5ms",
      '"p85" is not a statistic of latency: accepted are count',
    ],
    [
      "message-throughput.throughput.p95>5",
      '"p95" is not a statistic of throughput: accepted are value',
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
  return scenarioOf("message-throughput", {
    metrics: [latencyOf(150_000, { slowest: 1, slowNs: 200_000 }), throughputOf(1_000)],
    ledger: ledgerOf(200, { timeout: 1, toolError: 2, aborted: 1 }),
  });
}

function evaluate(expression: string, ...scenarios: ScenarioReport[]): ThresholdResult {
  return evaluateThreshold(parseThreshold(expression, vocabulary), reportOf(...scenarios));
}

Deno.test("evaluateThreshold compares the figure with the bound", () => {
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
  const other = scenarioOf("pipelining", { ledger: ledgerOf(100, { connectionLost: 1 }) });
  assertEquals(evaluate("errors=0", scenario, other).observed, 4);
  assertEquals(evaluate("message-throughput.errors<=3", scenario, other).observed, 3);
  assertEquals(evaluate("message-throughput.errors<=3", scenario, other).passed, true);
  const share = evaluate("errors<1%", scenario, other);
  assertAlmostEquals(share.observed!, 400 / 300, 1e-9);
  assertEquals([share.unit, share.passed], ["%", false]);
});

Deno.test("errors that a scenario provokes count only under its name", () => {
  const limited = scenarioOf("rate-limit", { ledger: ledgerOf(60, { rateLimited: 10 }) });
  limited.overloads = true;
  assertEquals(evaluate("errors=0", limited, scenarioOf("pipelining")).observed, 0);
  assertEquals(evaluate("rate-limit.errors=0", limited).observed, 10);
  const alone = evaluate("errors=0", limited);
  assertEquals([alone.passed, alone.observed], [false, null]);
  assertEquals(alone.reason, "every scenario run fails calls on purpose: use SCENARIO.errors");
  limited.overloads = false;
  assertEquals(evaluate("errors=0", limited).observed, 10);
});

Deno.test("evaluateThreshold fails what was not measured, and says why", () => {
  const skipped: ScenarioReport = { ...measuredScenario(), status: "skipped" };
  const cases: [string, ScenarioReport[], string][] = [
    ["message-throughput.throughput>0", [], "message-throughput was not run"],
    ["message-throughput.throughput>0", [skipped], "message-throughput was not run"],
    ["errors=0", [], "no scenario was run"],
    ["errors<1%", [scenarioOf("pipelining", { ledger: ledgerOf(0) })], "no call was sent"],
    ["pipelining.throughput@8>0", [scenarioOf("pipelining")], "throughput was not measured at 8"],
    ["pipelining.throughput>0", [scenarioOf("pipelining")], "throughput was not measured"],
    [
      "message-throughput.latency.p99<1s",
      [measuredScenario()],
      "too few samples for p99: 200 were taken",
    ],
  ];
  for (const [expression, scenarios, reason] of cases) {
    const { observed, passed, reason: given } = evaluate(expression, ...scenarios);
    assertEquals([observed, passed, given], [null, false, reason]);
  }
});

Deno.test("evaluateThreshold takes the named point, the only one, or the headline's", () => {
  const step = (inFlight: number, role: "headline" | "detail") =>
    throughputOf(1_000 * inFlight, { at: { inFlight }, role });
  const sweep = (...metrics: ReturnType<typeof step>[]) => scenarioOf("pipelining", { metrics });
  const steps = sweep(step(1, "detail"), step(8, "headline"));
  assertEquals(evaluate("pipelining.throughput@1>0", steps).observed, 1_000);
  assertEquals(evaluate("pipelining.throughput>0", steps).observed, 8_000);
  assertEquals(evaluate("pipelining.throughput>0", sweep(step(4, "detail"))).observed, 4_000);
  const { observed, passed, reason } = evaluate(
    "pipelining.throughput>0",
    sweep(step(1, "detail"), step(2, "detail")),
  );
  assertEquals([observed, passed, reason], [
    null,
    false,
    "throughput was measured at 2 points: name one of them",
  ]);
  const both = [1, 2].map((clients) => throughputOf(5, { at: { clients, inFlight: 1 } }));
  assertEquals(evaluate("pipelining.throughput@1>0", sweep(...both)).observed, null);
  assertEquals(evaluate("pipelining.throughput@2>0", sweep(...both)).observed, 5);
  const tools = scenarioOf("heavy-tools", {
    metrics: [latencyOf(1e6, { at: { tool: "chat" } }), latencyOf(2e6, { role: "detail" })],
  });
  assertEquals(evaluate("heavy-tools.latency.chat.p50<1s", tools).observed, 1e6);
  assertEquals(evaluate("heavy-tools.latency.p50<1s", tools).observed, 2e6);
});

Deno.test("a time known only as a lower bound never passes an upper bound", () => {
  const scenario = scenarioOf("message-throughput", {
    metrics: [latencyOf(1e6, { samples: 200, censored: 40 })],
  });
  const reason = "only a lower bound: 400 calls had no answer";
  const cases: [string, boolean, string | null][] = [
    ["message-throughput.latency.p50<2ms", true, null],
    ["message-throughput.latency.p95<10s", false, reason],
    ["message-throughput.latency.p95<=5s", false, reason],
    ["message-throughput.latency.p95=5s", false, reason],
    ["message-throughput.latency.p95<1s", false, null],
    ["message-throughput.latency.p95>1s", true, null],
    ["message-throughput.latency.p95>6s", false, null],
    ["message-throughput.latency.max<10s", false, reason],
    ["message-throughput.latency.mean<10s", false, reason],
    ["message-throughput.latency.min<2ms", true, null],
  ];
  for (const [expression, passed, why] of cases) {
    const result = evaluate(expression, scenario);
    assertEquals([result.passed, result.reason], [passed, why], expression);
  }
});
