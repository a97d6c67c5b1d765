/**
 * Complete sample reports, one for each way a run can end and for each kind of content.
 *
 * @module
 */

import type { Report, ScenarioReport } from "../../lib/schema.ts";
import { learnedComparison, pairedComparison, SLOWER } from "./sample_comparison.ts";
import { checksOf, EPOCHS, ledger, metricsOf, scenario, times } from "./sample_scenario.ts";

const BUILDERS = {
  passed: passedReport,
  failed: failedReport,
  interrupted: interruptedReport,
  preflight_failure: preflightFailureReport,
  skipped: skippedReport,
  compared: comparedReport,
  ab: abReport,
  sweeps: () => ({ ...passedReport(), scenarios: sweeps(), unitBaseline: null }),
  thorough: thoroughReport,
  phase2: () => ({ ...passedReport(), profile: "phase2", epochs: 5 }),
  phase3: phase3Report,
  merged: mergedReport,
  hostile: () => hostileReport(HOSTILE_TEXT),
} satisfies Record<string, () => Report>;

export type SampleKind = keyof typeof BUILDERS;

export const SAMPLE_KINDS = Object.keys(BUILDERS) as SampleKind[];

/** A complete report; a new object for every call. */
export function sampleReport(kind: SampleKind): Report {
  return BUILDERS[kind]();
}

/** Text that tries to break out of a table, a page, a terminal or an XML file. */
export const HOSTILE_TEXT =
  "a|b\r\n| - `x` ```\n# h <script>alert(1)</script> <img src=x onerror=alert(1)> " +
  "[l](http://evil.example) ![i](https://evil.example/i.png) @everyone &amp; ]]> " +
  "\u202Etxet\u202C \x1b[31mred\x1b[0m \u0000\u0007 {{7*7}} *b* _i_ ~~s~~ $x$ \\ \"q\" 'q' :tada:";

/** The scenarios of the standard profile. */
function standard(): ScenarioReport[] {
  return [
    ...["connection-establishment", "message-throughput", "concurrent-connections"],
    ...["reconnection", "authentication", "connection-limit", "overhead-breakdown"],
  ].map((name) => scenario(name));
}

function passedReport(): Report {
  const frame = (text: string, countedAs: string) =>
    ({ direction: countedAs === "sent" ? "sent" : "received", text, countedAs }) as const;
  return {
    schemaVersion: 2,
    suite: { name: "@exai/ws-bench", version: "0.2.0", commit: "0123456" },
    startedAt: "2025-10-26T17:10:00.000Z",
    finishedAt: "2025-10-26T17:10:41.200Z",
    seed: 42,
    command: ["deno", "task", "bench", "--header", "X-Team: a b"],
    environment: {
      ...{ os: "linux", arch: "x86_64", cpuModel: "Sample CPU", cpuCount: 8, memoryBytes: 16.75e9 },
      ...{ deno: "2.9.6", v8: "14.0", mitata: "1.0.34", cpuPressure: 0.02 },
    },
    target: {
      ...{ url: "ws://127.0.0.1:8079/", kind: "embedded", protocol: "exai", tool: "status" },
      noDelay: false,
    },
    profile: "standard",
    epochs: EPOCHS,
    verdict: { status: "passed", exitCode: 0, reasons: [] },
    preflight: checksOf("connect: a WebSocket server"),
    rateLimit: null,
    unitBaseline: {
      source: "measured",
      throughput: 3_100_000,
      ci95: [3e6, 3.2e6],
      epochs: [3.1e6],
    },
    transcript: [
      frame('{"op":"call_tool","request_id":"7f3a","name":"status","arguments":{}}', "sent"),
      frame('{"op":"stream_complete","request_id":"7f3a"}', "progress"),
      frame('{"op":"call_tool_res","request_id":"7f3a","outputs":["ok"]}', "final, ok"),
    ],
    scenarios: standard(),
  };
}

function ended(code: number, scenario: string | null, message: string): Pick<Report, "verdict"> {
  const status = code === 130 ? "interrupted" : "failed";
  return {
    verdict: { status, exitCode: code, reasons: [{ code, kind: "sample", scenario, message }] },
  };
}

/**
 * Everything that can go wrong in a complete run: a rate limiter, errors, a bound client, drift, …
 */
function failedReport(): Report {
  const report = passedReport();
  const [establish, calls, several, again] = report.scenarios;
  const latency = times("latency", 0.82, 100, {
    role: "headline",
    censored: 40,
    p75: 10e9,
    p90: 10e9,
  });
  Object.assign(calls!, {
    status: "failed",
    metrics: [latency, ...metricsOf("throughput 34 msg/s 1")],
    checks: checksOf("!every call was served: 100 of 100: 2 of 100"),
    ledger: ledger(100, {
      ...{ toolError: 47, rateLimited: 50, timeout: 1, closeCodes: { "1008": 1 } },
      errorCodes: { OVER_CAPACITY: 50, TOOL_NOT_FOUND: 47 },
      errorMessages: { OVER_CAPACITY: "Too many requests", TOOL_NOT_FOUND: "No tool chat" },
    }),
  });
  const message = "the rate is 97 % of what the client does against a null server";
  Object.assign(several!.validity, {
    valid: false,
    client: "bound",
    clientShare: 0.97,
    clientCpu: 0.97,
  });
  several!.validity.warnings = [{ kind: "clientFloor", message }];
  establish!.validity.client = "undecided";
  Object.assign(again!.validity, { valid: false });
  again!.validity.warnings = [{
    kind: "drift",
    message: "the headline went from 8000000 to 12100000",
    ...{ first: 8e6, last: 12.1e6, p: 0.001 },
  }];
  report.environment.cpuPressure = 0.31;
  return {
    ...report,
    ...ended(1, calls!.name, "98 of 100 calls were not served"),
    target: { ...report.target, url: "ws://bench.example:8079/", kind: "external", noDelay: true },
    rateLimit: { scenario: calls!.name, atCall: 51, message: "user_rate_limit_exceeded" },
  };
}

function interruptedReport(): Report {
  const [connection, calls] = standard();
  Object.assign(calls!, {
    status: "interrupted",
    reason: "interrupted by SIGINT",
    metrics: [],
    checks: [],
  });
  calls!.ledger = ledger(120, { aborted: 1 });
  return {
    ...{ ...passedReport(), ...ended(130, null, "interrupted by SIGINT"), epochs: 2 },
    scenarios: [connection!, calls!],
  };
}

function preflightFailureReport(): Report {
  return {
    ...passedReport(),
    ...ended(3, null, "the server does not know the tool statuss: did you mean status?"),
    ...{ unitBaseline: null, scenarios: [], transcript: [], epochs: 0 },
    preflight: checksOf(
      "connect: a WebSocket server",
      "!call the tool once: a result: TOOL_NOT_FOUND",
    ),
  };
}

/** Authentication is off, and none of the leading numbers of a report was requested. */
function skippedReport(): Report {
  const [, , , , authentication, limit] = standard();
  const reason = "the server accepts any token: its authentication is off";
  Object.assign(authentication!, { status: "skipped", reason, metrics: [], checks: [] });
  return {
    ...passedReport(),
    unitBaseline: null,
    scenarios: [limit!, authentication!, ...sweeps()],
  };
}

function sweeps(): ScenarioReport[] {
  return ["pipelining", "scaling", "payload-size"].map((name) => scenario(name));
}

function thoroughReport(): Report {
  const report = passedReport();
  const open = scenario("open-loop");
  const [latency] = open.metrics;
  if (latency?.kind === "distribution") {
    latency.series = Array.from({ length: 40 }, (_, index) => (
      { atMs: index * 500, count: 250, p50: 9e5, p99: 2e6 + (index % 7) * 1e5, max: 4e6 }
    ));
  }
  return {
    ...{ ...report, profile: "thorough" },
    scenarios: [...report.scenarios, ...sweeps(), open, scenario("saturation")],
  };
}

/** Heavy tools of an external server. */
function phase3Report(): Report {
  return {
    ...{ ...passedReport(), profile: "phase3", unitBaseline: null },
    target: { ...passedReport().target, url: "ws://10.0.0.5:8079/", kind: "external" },
    scenarios: [
      scenario("heavy-tools", { ledger: ledger(140, { cached: 5 }) }),
      scenario("head-of-line"),
    ],
  };
}

/** A run with thresholds and a comparison with earlier runs. */
function comparedReport(): Report {
  const bound = { unit: "ns", reason: null, observed: null, passed: false };
  const p95 = "message-throughput.latency.p95<5ms";
  return {
    ...{ ...passedReport(), ...ended(5, "message-throughput", SLOWER) },
    thresholds: [
      { ...bound, expression: p95, observed: 1_431_550, passed: true },
      { ...bound, expression: "errors=1", observed: 0, unit: "" },
      { ...bound, expression: "soak.latency.p99<1ms", reason: "soak was not run" },
    ],
    comparison: learnedComparison(),
  };
}

/** Two servers in one run, with an order effect. */
function abReport(): Report {
  return {
    ...{ ...passedReport(), ...ended(5, null, SLOWER) },
    target: { ...passedReport().target, url: "ws://127.0.0.1:9002/", kind: "external" },
    ab: {
      a: { url: "ws://127.0.0.1:9001/" },
      b: { url: "ws://127.0.0.1:9002/" },
      restarted: true,
      orderEffects: [{ scenario: "message-throughput", ratio: 1.031, p: 0.0039 }],
    },
    comparison: pairedComparison(),
  };
}

/** Two shards that measured together, the second of which was late, and a third that died. */
function mergedReport(): Report {
  const done = {
    ...{ name: "concurrent-connections", status: "passed" as const, sent: 125, ok: 125 },
    ...{ ratePerSecond: 885.5, p99: 6_100_000, valid: true, startOffsetMs: 12 },
  };
  const part = {
    ...{ lost: null, machine: "Sample CPU, 8 cores", late: false, clock: null },
    scenarios: [done],
  };
  return {
    ...{ ...passedReport(), ...ended(1, null, "shard 3 of 3 died: out of memory") },
    merged: {
      of: "shards",
      parts: [
        { ...part, index: 1, clock: { offsetMs: -3, errorMs: 1.5 } },
        { ...part, index: 2, late: true, scenarios: [{ ...done, valid: false, p99: null }] },
        { ...part, index: 3, lost: "out of memory", scenarios: [] },
      ],
    },
  };
}

/** Keys whose values the schema fixes. */
const FIXED =
  /^(kind|unit|role|status|statistic|better|verdict|noise|of|histogram|client|protocol|direction|measuredOn|source|gates)$/;

/** A report with `text` in every place that a server or a user can influence. */
export function hostileReport(text: string): Report {
  const { comparison, thresholds } = comparedReport();
  const report = { ...failedReport(), merged: mergedReport().merged, comparison, thresholds };
  const replace = (value: unknown, key: string): unknown => {
    if (typeof value === "string") return FIXED.test(key) ? value : text;
    if (Array.isArray(value)) return value.map((one) => replace(one, key));
    if (typeof value !== "object" || value === null) return value;
    const isOpen = /^(errorCodes|closeCodes|errorMessages|parameters)$/.test(key);
    return Object.fromEntries(
      Object.entries(value).map(([name, one]) => [isOpen ? text : name, replace(one, name)]),
    );
  };
  return replace(report, "") as Report;
}
