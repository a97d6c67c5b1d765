/**
 * Complete reports built from plain numbers, one for each way in which a run can end.
 *
 * @module
 */

import type {
  Check,
  ComparisonRow,
  Distribution,
  Ledger,
  Metric,
  Report,
  Scalar,
  ScenarioReport,
  ThresholdResult,
} from "../../lib/schema.ts";

export type SampleKind =
  | "passed"
  | "failed"
  | "interrupted"
  | "preflight_failure"
  | "skipped"
  | "compared"
  | "layered"
  | "sweeps"
  | "phase3"
  | "merged"
  | "hostile";

/** Every kind of sample. */
export const SAMPLE_KINDS: readonly SampleKind[] = [
  "passed",
  "failed",
  "interrupted",
  "preflight_failure",
  "skipped",
  "compared",
  "layered",
  "sweeps",
  "phase3",
  "merged",
  "hostile",
];

/** A complete report of one kind; a new object at every call. */
export function sampleReport(kind: SampleKind): Report {
  const builders: Record<SampleKind, () => Report> = {
    passed: passedReport,
    failed: failedReport,
    interrupted: interruptedReport,
    preflight_failure: preflightFailureReport,
    skipped: skippedReport,
    compared: comparedReport,
    layered: layeredReport,
    sweeps: sweepsReport,
    phase3: phase3Report,
    merged: mergedReport,
    hostile: () => hostileReport(HOSTILE_TEXT),
  };
  return builders[kind]();
}

/** What a server might say to break out of a table, a page, a terminal or an XML file. */
export const HOSTILE_TEXT =
  "a|b\r\n| - `x` ```\n# h <script>alert(1)</script> <img src=x onerror=alert(1)> " +
  "[l](http://evil.example) ![i](https://evil.example/i.png) @everyone &amp; ]]> " +
  "\u202Etxet\u202C \x1b[31mred\x1b[0m \u0000\u0007 {{7*7}} *b* _i_ ~~s~~ $x$ \\ \"q\" 'q' :tada:";

/** A report with `text` in every place that a server or a user has a say in. */
export function hostileReport(text: string): Report {
  const report = failedReport();
  const [connection, throughput] = report.scenarios;
  throughput.ledger.errorCodes = { [text]: 50 };
  throughput.ledger.closeCodes = { [text]: 1 };
  throughput.reason = text;
  throughput.checks = [check(text, false, text, text)];
  throughput.notMeasured = [{ name: text, reason: text }];
  throughput.validity.warnings = [text];
  throughput.notes = [text];
  throughput.parameters = { [text]: text };
  connection.name = text;
  connection.question = text;
  connection.metrics = [{ ...distribution("x", TIMES.connect), name: text, at: { [text]: 1 } }, {
    ...scalar("x", 3, text),
    name: text,
  }];
  const layers = layersScenario();
  layers.metrics[3].name = `layer.${text}`;
  report.scenarios.push(layers);
  report.target = { ...report.target, url: text, tool: text };
  report.command = ["deno", "task", "bench", text];
  report.environment.cpuModel = text;
  report.profile = text;
  report.startedAt = text;
  report.finishedAt = text;
  report.suite = { name: text, version: text, commit: text };
  report.rateLimit = { scenario: text, atCall: 51, message: text };
  report.preflight = [check(text, false, text, text)];
  report.verdict.reasons = [{ code: 1, scenario: text, message: text }];
  const { thresholds, comparison } = comparedReport();
  report.thresholds = thresholds!.map((one) => ({ ...one, expression: text, reason: text }));
  report.shard = { ...SHARD, index: 1 };
  const { merged } = mergedReport();
  report.merged = {
    ...merged!,
    parts: merged!.parts.map((part) => ({
      ...part,
      ...(part.lost === null ? {} : { lost: text }),
      machine: text,
      scenarios: part.scenarios.map((scenario) => ({ ...scenario, name: text })),
    })),
  };
  report.comparison = {
    ...comparison!,
    differences: [text],
    rows: comparison!.rows.map((row) => ({ ...row, scenario: text, metric: text, unit: text })),
    newErrors: [{ scenario: text, kind: text, count: 1 }],
    onlyInOld: [text],
    onlyInNew: [text],
    regressions: [text],
  };
  return report;
}

/** Times of one distribution in nanoseconds: [min, mean, p50, p95, p99, max]; null: too few samples. */
type Times = [number, number, number, number | null, number | null, number];

const TIMES = {
  connect: [3_900_000, 5_300_000, 5_200_000, 6_900_000, null, 9_800_000],
  authenticate: [800_000, 1_310_000, 1_300_000, 1_900_000, null, 2_700_000],
  establish: [4_800_000, 6_610_000, 6_500_000, 8_700_000, null, 12_100_000],
  close: [200_000, 410_000, 400_000, null, null, 900_000],
  latency: [610_000, 860_000, 820_000, 1_310_000, null, 4_020_000],
  concurrentLatency: [900_000, 2_690_000, 2_610_000, 3_900_000, null, 6_100_000],
  reconnect: [5_100_000, 6_900_000, 6_800_000, null, null, 9_100_000],
  recovery: [6_200_000, 8_100_000, 8_000_000, null, null, 11_000_000],
  accept: [5_000_000, 6_400_000, 6_300_000, null, null, 8_000_000],
  reject: [2_000_000, 2_600_000, 2_500_000, null, null, 3_900_000],
  rejection: [1_000_000, 1_700_000, 1_650_000, null, null, 2_400_000],
  slotRelease: [90_000, 130_000, 120_000, null, null, 210_000],
  chat: [310e6, 860e6, 810e6, null, null, 1_500e6],
  analyze: [1_100e6, 2_200e6, 2_050e6, null, null, 3_400e6],
  firstProgress: [250e6, 252e6, 251e6, null, null, 290e6],
  heavyMix: [300e6, 1_200e6, 1_100e6, null, null, 3_400e6],
  cached: [400_000, 700_000, 600_000, null, null, 1_100_000],
  cheapAlone: [240_000, 420_000, 390_000, 800_000, null, 2_100_000],
  cheapBehind: [9e6, 420e6, 400e6, 790e6, null, 1_400e6],
  cheapBeside: [250_000, 460_000, 410_000, 900_000, null, 3_000_000],
  cheapBlocked: [11e6, 390e6, 380e6, 770e6, null, 1_300e6],
} satisfies Record<string, Times>;

/** A distribution of 500 samples in 5 rounds unless told otherwise. */
function distribution(name: string, times: Times, count = 500): Distribution {
  const [min, mean, p50, p95, p99, max] = times;
  const round = { count: count / 5, mean, p50, p95: null, p99: null, max };
  return {
    name,
    kind: "distribution",
    unit: "ns",
    count,
    min,
    mean,
    stddev: (max - min) / 8,
    p50,
    p75: p95 === null ? null : (p50 + p95) / 2,
    p90: p95 === null ? null : p95 * 0.9,
    p95,
    p99,
    p999: null,
    max,
    histogram: "HISTFAAAAA==",
    ci95: { p50: [p50 * 0.95, p50 * 1.05], mean: null },
    better: "lower",
    series: [{ atMs: 0, count, p50, p99, max }],
    rounds: [round, round, round, round, round],
  };
}

/** A scalar of five equal rounds. */
function scalar(name: string, value: number, unit: string): Scalar {
  return {
    name,
    kind: "scalar",
    unit,
    value,
    ci95: [value * 0.9, value * 1.1],
    better: "higher",
    rounds: [value, value, value, value, value],
  };
}

function check(name: string, passed: boolean, expected: string, observed: string): Check {
  return { name, passed, expected, observed };
}

/** A ledger of `sent` calls; those not named are ok, and each of these came with one progress frame. */
function ledger(
  sent: number,
  others: Partial<Omit<Ledger, "frames" | "sent" | "ok">> = {},
): Ledger {
  const { toolError = 0, rateLimited = 0, timeout = 0, connectionLost = 0, aborted = 0 } = others;
  const ok = sent - toolError - rateLimited - timeout - connectionLost - aborted;
  const final = ok + toolError + rateLimited;
  return {
    sent,
    ok,
    cached: 0,
    toolError,
    rateLimited,
    timeout,
    connectionLost,
    aborted,
    dropped: 0,
    frames: {
      received: final + ok,
      final,
      progress: ok,
      late: 0,
      duplicate: 0,
      orphan: 0,
      malformed: 0,
    },
    errorCodes: {},
    closeCodes: { "1000": 1 },
    ...others,
  };
}

/** A passed, valid scenario without calls, metrics or checks, and what `parts` has instead. */
export function sampleScenario(name: string, parts: Partial<ScenarioReport> = {}): ScenarioReport {
  return {
    name,
    question: `What does ${name} show?`,
    status: "passed",
    reason: null,
    startedAt: "2025-10-26T17:10:05.000Z",
    durationMs: 2300,
    parameters: { rounds: 5 },
    checks: [],
    notMeasured: [],
    warmupLedger: { ...ledger(0), closeCodes: {} },
    ledger: ledger(0),
    metrics: [],
    validity: { valid: true, clientCpu: 0.31, loopLagP99Ns: 210_000, warnings: [] },
    ...parts,
  };
}

function connectionScenario(): ScenarioReport {
  return sampleScenario("connection-establishment", {
    question: "How long does it take to open an authenticated connection?",
    parameters: { connects: 500, rounds: 5 },
    metrics: [
      distribution("connect", TIMES.connect),
      distribution("authenticate", TIMES.authenticate),
      distribution("establish", TIMES.establish),
      distribution("close", TIMES.close),
      { ...scalar("coldEstablish", 12_100_000, "ns"), ci95: null, better: "lower" },
    ],
    checks: [
      check("every connection was established", true, "500 of 500", "500 of 500"),
      check("every connection closed cleanly", true, "close code 1000", "1000 (500 times)"),
    ],
  });
}

function throughputScenario(): ScenarioReport {
  return sampleScenario("message-throughput", {
    question: "How fast is one client that calls one at a time?",
    parameters: { messages: 100, rounds: 5 },
    warmupLedger: ledger(20),
    ledger: ledger(500),
    metrics: [distribution("latency", TIMES.latency), scalar("throughput", 1151, "msg/s")],
    checks: [check("every message was served", true, "500 of 500", "500 of 500")],
    validity: {
      valid: true,
      clientCpu: 0.31,
      loopLagP99Ns: 210_000,
      floor: { connections: 1, throughput: 4604, latencyP50Ns: 210_000, share: 0.25 },
      warnings: [],
    },
    notes: ["throughput of round 3 lies far from the rest (counted all the same)"],
  });
}

function concurrentScenario(): ScenarioReport {
  return sampleScenario("concurrent-connections", {
    question: "What do several clients at once get?",
    parameters: { connections: 5, messages: 10, rounds: 5 },
    ledger: ledger(250),
    metrics: [
      distribution("establish", TIMES.establish, 25),
      distribution("latency", TIMES.concurrentLatency, 250),
      scalar("throughput", 1771, "msg/s"),
      { ...scalar("speedup", 1.5387, "x"), ci95: [1.41, 1.66] },
      { ...scalar("fairness", 0.991, ""), ci95: [0.98, 1] },
    ],
    checks: [
      check("every client connected", true, "5 of 5", "5 of 5"),
      check("every message was served", true, "250 of 250", "250 of 250"),
    ],
  });
}

function reconnectionScenario(): ScenarioReport {
  return sampleScenario("reconnection", {
    question: "How soon does a client work again after a clean close?",
    ledger: ledger(20),
    metrics: [
      distribution("close", TIMES.close, 20),
      distribution("reconnect", TIMES.reconnect, 20),
      distribution("recovery", TIMES.recovery, 20),
    ],
    checks: [check("the new session serves calls", true, "20 of 20", "20 of 20")],
  });
}

function authenticationScenario(): ScenarioReport {
  return sampleScenario("authentication", {
    question: "Are valid tokens accepted and all others refused?",
    metrics: [distribution("accept", TIMES.accept, 20), distribution("reject", TIMES.reject, 60)],
    checks: [
      check("valid token", true, "accepted", "accepted"),
      check("wrong token", true, "close 4003 unauthorized", "close 4003 unauthorized"),
    ],
    notMeasured: [{ name: "no hello", reason: "takes 15 s, and the profile is quick" }],
  });
}

function limitScenario(): ScenarioReport {
  const limit: Metric = { ...scalar("limit", 10, "connections"), ci95: null, better: null };
  return sampleScenario("connection-limit", {
    question: "How many connections does the server take, and how does it refuse the next?",
    metrics: [
      limit,
      distribution("rejection", TIMES.rejection, 20),
      distribution("slotRelease", TIMES.slotRelease, 20),
    ],
    checks: [
      check(
        "the connection over the limit is refused",
        true,
        "close 1008",
        "close 1008 Too many connections from your IP (10/10)",
      ),
      check("established connections are unharmed", true, "10 of 10 serve", "10 of 10 serve"),
    ],
  });
}

const SHARD = {
  count: 3,
  startAtMs: 1_761_498_600_000,
  startOffsetMs: 12,
  late: false,
  clock: { offsetMs: -3, errorMs: 1.5 },
};

/** Two workers that measured together, the second of them too late, and a third that died. */
function mergedReport(): Report {
  const report = passedReport();
  const scenario = {
    name: "concurrent-connections",
    status: "passed",
    sent: 125,
    ok: 125,
    ratePerSecond: 885.5,
    p99: 6_100_000,
    valid: true,
    startOffsetMs: 12,
  } as const;
  const part = { lost: null, machine: "Sample CPU, 8 cores", late: false, clock: SHARD.clock };
  const message = "shard 3 of 3 died: Out of memory; the figures are those of the others";
  return {
    ...report,
    verdict: { status: "failed", exitCode: 1, reasons: [{ code: 1, scenario: null, message }] },
    shard: { ...SHARD, index: 1, count: 2 },
    merged: {
      of: "shards",
      parts: [
        { ...part, index: 1, scenarios: [scenario, { ...scenario, p99: null, status: "skipped" }] },
        {
          ...{ ...part, index: 2, late: true, clock: null },
          scenarios: [{ ...scenario, valid: false, startOffsetMs: 312, ratePerSecond: null }],
        },
        { ...part, index: 3, lost: "Out of memory", scenarios: [] },
      ],
    },
  };
}

/** A run held against bounds and a baseline: better in one row, worse in another, unsettled in others. */
function heavyScenario(): ScenarioReport {
  return sampleScenario("heavy-tools", {
    question: "How long do tools take that do real work, and how many of their calls go at once?",
    parameters: {
      rounds: 5,
      connections: 5,
      messages: null,
      heavyTools: "chat {} timeout 60 s, weight 3, repetitions 2",
    },
    ledger: ledger(140, { cached: 5 }),
    metrics: [
      distribution("latency.chat", TIMES.chat, 10),
      distribution("latency.analyze", TIMES.analyze, 5),
      distribution("firstProgress.chat", TIMES.firstProgress, 10),
      distribution("concurrentLatency.chat", TIMES.chat, 75),
      distribution("concurrentLatency.analyze", TIMES.analyze, 25),
      { ...distribution("cached.analyze", TIMES.cached, 5), better: null },
      distribution("latencyAlone", TIMES.heavyMix, 25),
      distribution("latency", TIMES.heavyMix, 100),
      scalar("throughputAlone", 0.94, "msg/s"),
      scalar("throughput", 4.4, "msg/s"),
      scalar("speedup", 4.7, "x"),
    ],
    checks: [
      check("the announced calls were made", true, "140 calls of heavy tools", "140"),
    ],
    notMeasured: [{
      name: "firstProgress.analyze",
      reason: "no progress frame came before a result",
    }],
  });
}

function headOfLineScenario(): ScenarioReport {
  const lower = { better: "lower" } as const;
  return sampleScenario("head-of-line", {
    question: "How much longer does a cheap call take while a heavy one is being worked on?",
    parameters: { rounds: 5, ratePerSecond: 50, durationMs: 1000, maxCheapCalls: 500 },
    ledger: ledger(1015),
    metrics: [
      distribution("alone", TIMES.cheapAlone, 250),
      distribution("sameConnection", TIMES.cheapBehind, 250),
      distribution("otherConnection", TIMES.cheapBeside, 250),
      distribution("otherAddress", TIMES.cheapBlocked, 250),
      distribution("heavy", TIMES.chat, 15),
      { ...scalar("interference.sameConnection", 1020, "x"), better: null },
      { ...scalar("interference.otherConnection", 1.09, "x"), ...lower },
      { ...scalar("interference.otherAddress", 912, "x"), ...lower },
    ],
  });
}

/** Heavy tools of another server, one of which serves every third call from a cache. */
function phase3Report(): Report {
  return {
    ...passedReport(),
    command: ["deno", "task", "bench", "--profile", "phase3", "--heavy-tools", "tools.json"],
    target: { url: "ws://10.0.0.5:8079/", kind: "external", protocol: "exai", tool: "status" },
    profile: "phase3",
    scenarios: [heavyScenario(), headOfLineScenario()],
  };
}

function comparedReport(): Report {
  const row = {
    scenario: "message-throughput",
    metric: "latency",
    statistic: "p50",
    unit: "ns",
    better: "lower",
    old: 700_000,
    new: 820_000,
    oldRounds: 10,
    newRounds: 10,
    ratio: 1.1714,
    ci95: [1.12, 1.23],
    p: 0.0002,
    adjustedP: 0.0006,
    gating: true,
    verdict: "slower",
    roundsNeeded: null,
  } satisfies ComparisonRow;
  const rate = {
    ...row,
    metric: "throughput",
    statistic: "value",
    unit: "msg/s",
    better: "higher",
  } satisfies ComparisonRow;
  const regression = "message-throughput: latency p50 is up by 17.1 %";
  return {
    ...passedReport(),
    verdict: {
      status: "failed",
      exitCode: 4,
      reasons: [
        { code: 4, scenario: null, message: "threshold errors=1 missed: observed 0" },
        { code: 5, scenario: null, message: regression },
      ],
    },
    thresholds: [
      threshold("message-throughput.latency.p95<5ms", {
        observed: 1_310_000,
        unit: "ns",
        passed: true,
      }),
      threshold("errors=1", { observed: 0, unit: "", passed: false }),
      threshold("soak.latency.p99<1ms", {
        observed: null,
        unit: "ns",
        passed: false,
        reason: "soak was not run",
      }),
    ],
    comparison: {
      noisePercent: 3,
      differences: ["message-throughput.messages: 200 -> 100"],
      rows: [
        row,
        { ...row, statistic: "p95", gating: false, adjustedP: null, verdict: null },
        { ...rate, old: 1000, new: 1151, ratio: 1.151, verdict: "faster" },
        {
          ...rate,
          scenario: "concurrent-connections",
          ratio: 0.99,
          ci95: [0.97, 1.01],
          p: 0.4,
          adjustedP: 0.4,
          verdict: "~",
        },
        {
          ...rate,
          scenario: "soak",
          ci95: null,
          adjustedP: 1,
          p: 0.1,
          verdict: "too few rounds",
          roundsNeeded: 6,
        },
      ],
      newErrors: [{ scenario: "message-throughput", kind: "timeout", count: 3 }],
      onlyInOld: ["pipelining"],
      onlyInNew: ["soak"],
      regressions: [regression],
    },
  };
}

/** A call on another machine taken apart: one layer is lost in noise, and the server tells its own time. */
function layeredReport(): Report {
  const report = passedReport();
  report.target = { ...report.target, url: "ws://bench.example:8079/", kind: "external" };
  report.scenarios = [...report.scenarios, layersScenario()];
  return report;
}

/** What each layer adds in nanoseconds, half the width of its interval, and where it was measured. */
const LAYERS: [string, number, number, "target" | "bundled"][] = [
  ["dispatch", 700, 30, "bundled"],
  ["codec", 4_300, 200, "bundled"],
  ["tcp", 33_000, 1_500, "bundled"],
  ["websocket", 12_000, 2_500, "bundled"],
  ["routing", 800_000, 40_000, "target"],
  ["tool", -1_000, 3_000, "target"],
];

function layersScenario(): ScenarioReport {
  const wholeNs = LAYERS.reduce((sum, [, added]) => sum + added, 0);
  let callNs = 0;
  const layers = LAYERS.map(([name, value, half, measuredOn], index): Metric => {
    callNs += value;
    const ci95: [number, number] = [value - half, value + half];
    return {
      ...distribution(`layer.${name}`, [callNs * 0.9, callNs, callNs, null, null, callNs * 2]),
      added: {
        above: index === 0 ? null : `layer.${LAYERS[index - 1][0]}`,
        call: callNs,
        value,
        ci95,
        share: value / wholeNs,
        shareCi95: [ci95[0] / wholeNs, ci95[1] / wholeNs],
        measuredOn,
      },
    };
  });
  return sampleScenario("overhead-breakdown", {
    question: "Where does the time of a call go, layer by layer?",
    parameters: { rounds: 5, slices: 4, messages: 100 },
    ledger: ledger(500),
    metrics: [
      ...layers,
      distribution("serverReported", [90_000, 100_000, 100_000, null, null, 200_000]),
      distribution("networkAndQueue", [700_000, 750_000, 749_000, null, null, 900_000]),
    ],
    checks: [
      check("every probe answered without a tool", true, "520 of 520", "520 of 520, by ping"),
    ],
  });
}

function threshold(
  expression: string,
  rest: { observed: number | null; unit: string; passed: boolean; reason?: string },
): ThresholdResult {
  return { reason: null, ...rest, expression };
}

function passedReport(): Report {
  return {
    schemaVersion: 1,
    suite: { name: "@exai/ws-bench", version: "0.1.0", commit: "0123456" },
    startedAt: "2025-10-26T17:10:00.000Z",
    finishedAt: "2025-10-26T17:10:41.200Z",
    seed: 42,
    command: ["deno", "task", "bench", "--profile", "phase2"],
    environment: {
      os: "linux",
      arch: "x86_64",
      cpuModel: "Sample CPU",
      cpuCount: 8,
      memoryBytes: 16_750_000_000,
      deno: "2.9.6",
      v8: "14.0",
      mitata: "1.0.34",
    },
    target: { url: "ws://127.0.0.1:8079/", kind: "embedded", protocol: "exai", tool: "status" },
    profile: "phase2",
    verdict: { status: "passed", exitCode: 0, reasons: [] },
    preflight: [
      check("connect", true, "a WebSocket server", "a WebSocket server"),
      check("call the tool once", true, "a result", "a result"),
    ],
    rateLimit: null,
    unitBaseline: { source: "measured", throughput: 3_100_000 },
    scenarios: [
      connectionScenario(),
      throughputScenario(),
      concurrentScenario(),
      reconnectionScenario(),
      authenticationScenario(),
      limitScenario(),
    ],
  };
}

/** Everything that can go wrong in a run that ends: a limiter, errors, a cache, a bound client, … */
function failedReport(): Report {
  const report = passedReport();
  const [, throughput, concurrent] = report.scenarios;
  failThroughput(throughput);
  spoilConcurrent(concurrent);
  const scenario = throughput.name;
  report.target = { ...report.target, url: "ws://bench.example:8079/", kind: "external" };
  report.rateLimit = {
    scenario,
    atCall: 51,
    message: "Rate limit exceeded: user_rate_limit_exceeded (retry after 0.1s)",
  };
  report.verdict = {
    status: "failed",
    exitCode: 1,
    reasons: [{ code: 1, scenario, message: "98 of 100 messages were not served" }],
  };
  return report;
}

/** Two calls of a hundred are served: too few for any percentile but the median. */
function failThroughput(scenario: ScenarioReport): void {
  scenario.status = "failed";
  scenario.ledger = ledger(100, {
    toolError: 47,
    rateLimited: 50,
    timeout: 1,
    errorCodes: { OVER_CAPACITY: 50, TOOL_NOT_FOUND: 47 },
  });
  scenario.metrics = [
    {
      ...distribution("latency", [610_000, 860_000, 820_000, null, null, 4_020_000], 2),
      ci95: { p50: null, mean: null },
      rounds: [],
    },
    { ...scalar("throughput", 34, "msg/s"), ci95: null, rounds: [34] },
  ];
  scenario.checks = [check("every message was served", false, "100 of 100", "2 of 100")];
}

/** Slower together than alone, unfair, from a cache, and bounded by the client. */
function spoilConcurrent(scenario: ScenarioReport): void {
  scenario.metrics = scenario.metrics.map((metric) =>
    metric.name === "speedup"
      ? { ...scalar("speedup", 0.62, "x"), ci95: [0.55, 0.7] }
      : metric.name === "fairness"
      ? { ...scalar("fairness", 0.41, ""), ci95: null }
      : metric
  );
  scenario.ledger.cached = 200;
  scenario.validity = {
    valid: false,
    clientCpu: 0.97,
    loopLagP99Ns: 12_000_000,
    warnings: ["The client used 97 % of its core: use fewer clients, or a faster machine."],
  };
}

function interruptedReport(): Report {
  const report = passedReport();
  const [connection, throughput] = report.scenarios;
  throughput.status = "interrupted";
  throughput.reason = "interrupted by SIGINT";
  throughput.ledger = ledger(120, { aborted: 1 });
  throughput.metrics = [];
  throughput.checks = [];
  report.scenarios = [connection, throughput];
  report.finishedAt = "2025-10-26T17:10:04.700Z";
  report.verdict = {
    status: "interrupted",
    exitCode: 130,
    reasons: [{ code: 130, scenario: null, message: "The run was interrupted by SIGINT." }],
  };
  return report;
}

function preflightFailureReport(): Report {
  const report = passedReport();
  const message =
    "The server does not know the tool status_EXAI-WS-VSCode1: it strips a trailing -EXAI-WS, " +
    "not -EXAI-WS-VSCode1: try status";
  report.target = { ...report.target, tool: "status_EXAI-WS-VSCode1" };
  report.finishedAt = "2025-10-26T17:10:00.300Z";
  report.preflight = [
    check("connect", true, "a WebSocket server", "a WebSocket server"),
    check("call the tool once", false, "a result", "TOOL_NOT_FOUND"),
  ];
  report.verdict = {
    status: "failed",
    exitCode: 3,
    reasons: [{ code: 3, scenario: null, message }],
  };
  report.unitBaseline = null;
  report.scenarios = [];
  return report;
}

/** Authentication is off, one core scenario was not asked for, and a further one was. */
function skippedReport(): Report {
  const report = passedReport();
  const skipped = sampleScenario("authentication", {
    question: "Are valid tokens accepted and all others refused?",
    status: "skipped",
    reason: "the server accepts any token: its authentication is off",
  });
  const pipelining = sampleScenario("pipelining", {
    question: "What do several calls in flight on one connection gain?",
    ledger: ledger(400),
    metrics: [1, 8].flatMap((inFlight): Metric[] => [
      { ...scalar(`throughput@${inFlight}`, 1000 * inFlight, "msg/s"), at: { inFlight } },
      { ...distribution(`latency@${inFlight}`, TIMES.latency), at: { inFlight } },
    ]),
    checks: [check("every call was served", true, "400 of 400", "400 of 400")],
  });
  report.scenarios = [
    ...report.scenarios.filter(({ name }) => name !== "authentication" && name !== "reconnection"),
    skipped,
    pipelining,
  ];
  report.unitBaseline = { source: "given", throughput: 3_100_000 };
  return report;
}

/** A scalar of a step of a sweep. */
function stepScalar(name: string, value: number, rest: Partial<Scalar>): Scalar {
  return { ...scalar(name, value, "msg/s"), ...rest };
}

/** One value that the run as a whole gave, with its interval. */
function estimate(name: string, value: number, rest: Partial<Scalar>): Scalar {
  return { ...scalar(name, value, ""), rounds: [value], ci95: null, ...rest };
}

/**
 * Contention 0.04 and coherency 0.015 of a single rate of 1,000 msg/s: a peak at the 8th client. The fourth
 * client makes 4,000 / (1 + 0.12 + 0.18) = 3,077 msg/s of them all, the eighth 8,000 / 2.12 = 3,774.
 */
function scalingScenario(): ScenarioReport {
  const steps: [clients: number, rate: number][] = [[1, 1000], [2, 1870], [4, 3080], [8, 3770]];
  const fitted = [1000, 1869.2, 3076.9, 3773.6];
  return sampleScenario("scaling", {
    question: "How does throughput grow with the number of clients, and what holds it back?",
    parameters: { connections: 64, messages: 100, rounds: 5 },
    ledger: ledger(7500),
    metrics: [
      ...steps.flatMap(([connections, rate], step): Metric[] => {
        const at = { connections };
        const efficiency = { at, unit: "" };
        return [
          { ...distribution(`latency@${connections}`, TIMES.latency), at },
          stepScalar(`throughput@${connections}`, rate, { at }),
          ...(connections === 1
            ? []
            : [stepScalar(`efficiency@${connections}`, rate / 1000 / connections, efficiency)]),
          stepScalar(`fitted@${connections}`, fitted[step], { at, ci95: null }),
        ];
      }),
      estimate("rSquared", 0.9991, {}),
      estimate("singleRate", 1000, { unit: "msg/s", ci95: [980, 1021] }),
      estimate("contention", 0.04, { better: "lower", ci95: [0.031, 0.049] }),
      estimate("coherency", 0.015, { better: "lower", ci95: [0.0142, 0.0157] }),
      estimate("peakConcurrency", 8, { unit: "connections", ci95: [7.8, 8.3] }),
      estimate("peakThroughput", 3773.6, { unit: "msg/s" }),
    ],
    checks: [
      check("every number of clients measured in every round", true, "20 of 20", "20 of 20"),
    ],
    notes: ["the sweep ends at 8 clients at once: closed with 1008 (Too many connections)"],
  });
}

function payloadSizeScenario(): ScenarioReport {
  const steps: [bytes: number, rate: number, floor: number][] = [
    [64, 12_000, 48_000],
    [1024, 22.7, 22.8],
    [1_048_576, 400, 1000],
  ];
  return sampleScenario("payload-size", {
    question: "What does the size of a request cost, and what becomes of one that is too large?",
    parameters: { messages: 100, rounds: 5 },
    ledger: ledger(1500),
    metrics: [
      ...steps.flatMap(([payloadBytes, rate, floor]): Metric[] => {
        const at = { payloadBytes };
        const bytes = { at, unit: "bytes/s" };
        return [
          { ...distribution(`latency@${payloadBytes}`, TIMES.latency), at },
          stepScalar(`rate@${payloadBytes}`, rate, { at }),
          stepScalar(`throughput@${payloadBytes}`, rate * payloadBytes, bytes),
          stepScalar(`floor@${payloadBytes}`, floor, { at, ci95: null, rounds: [floor] }),
        ];
      }),
      estimate("largestServed", 4 * 2 ** 20, { unit: "bytes", better: null }),
      estimate("smallestRefused", 16 * 2 ** 20, { unit: "bytes", better: null }),
    ],
    checks: [
      check(
        "a request that is too large is refused",
        true,
        "an error for that call, or close 1009",
        "16 MiB: OVER_CAPACITY: Request too large; 33 MiB: close 1009",
      ),
    ],
    validity: {
      valid: false,
      clientCpu: 0.31,
      loopLagP99Ns: 210_000,
      warnings: ["client-bound at 1 KiB"],
    },
  });
}

/** A run of the sweeps alone. */
function sweepsReport(): Report {
  return { ...passedReport(), scenarios: [scalingScenario(), payloadSizeScenario()] };
}
