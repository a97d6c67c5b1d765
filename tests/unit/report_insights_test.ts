import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Report, Scalar } from "../../lib/schema.ts";
import { findings } from "../../lib/report/findings.ts";
import { insights, type Tone } from "../../lib/report/insights.ts";
import { findDistribution, findScalar, findScenario } from "../../lib/report/lookup.ts";
import { nextSteps } from "../../lib/report/next_steps.ts";
import { sampleReport } from "../support/sample_report.ts";

/** The insight that contains `part`. */
function insightWith(report: Report, part: string): { tone: Tone; text: string } {
  const found = insights(report).find(({ text }) => text.includes(part));
  assert(found !== undefined, `no insight with "${part}"`);
  return found;
}

/** The passed sample with one scalar of concurrent-connections changed. */
function withScalar(name: string, change: Partial<Scalar>): Report {
  const report = sampleReport("passed");
  const scalar = findScalar(findScenario(report, "concurrent-connections"), name);
  assert(scalar !== undefined);
  Object.assign(scalar, change);
  return report;
}

Deno.test("speedup is a gain, none or a loss by its interval", () => {
  const expected: [number, Scalar["ci95"], Tone, string][] = [
    [1.5, [1.4, 1.6], "good", "5 concurrent clients achieve 1.5x the throughput of one"],
    [1.5, [0.9, 2.1], "neutral", "bring no clear gain over one: 1.5x"],
    [0.62, [0.5, 0.7], "bad", "together achieve less than one alone: 0.62x"],
    [1.5, null, "good", "achieve 1.5x the throughput of one."],
    [1.04, null, "neutral", "bring no clear gain over one: 1.0x its throughput."],
    [0.62, null, "bad", "achieve less than one alone: 0.62x its throughput."],
  ];
  for (const [value, ci95, tone, part] of expected) {
    assertEquals(insightWith(withScalar("speedup", { value, ci95 }), part).tone, tone);
  }
});

Deno.test("the speedup says what it is a multiple of", () => {
  const report = sampleReport("passed");
  const scenario = findScenario(report, "concurrent-connections")!;
  const throughput = findScalar(scenario, "throughput")!;
  scenario.metrics = scenario.metrics.filter(({ name }) => name !== "throughputAlone");
  scenario.metrics.push({ ...throughput, name: "throughputAlone", value: 1234 });
  insightWith(report, "the throughput of one alone (1,234 msg/s)");
});

Deno.test("no figure of a scenario that failed or is not valid is good news", () => {
  for (const name of ["concurrent-connections", "message-throughput"]) {
    const topic = name === "message-throughput" ? "latency" : "concurrency";
    const praise = (report: Report) =>
      insights(report).filter((insight) => insight.topic === topic && insight.tone === "good");
    assert(praise(sampleReport("passed")).length > 0);
    const failed = sampleReport("passed");
    findScenario(failed, name)!.status = "failed";
    const invalid = sampleReport("passed");
    findScenario(invalid, name)!.validity.valid = false;
    assertEquals([praise(failed), praise(invalid)], [[], []]);
  }
});

Deno.test("fairness is judged by Jain's index", () => {
  const expected: [number, Tone][] = [[0.99, "good"], [0.9, "neutral"], [0.41, "bad"]];
  for (const [value, tone] of expected) {
    assertEquals(
      insightWith(withScalar("fairness", { value }), `Jain's index ${value}`).tone,
      tone,
    );
  }
});

Deno.test("latency is steady or has a tail by its P95 against the median", () => {
  const expected: [number | null, Tone, string][] = [
    [1.6, "good", "steady: P95 is"],
    [3, "neutral", "P95 is"],
    [8, "bad", "with a long tail: P95 is"],
    [null, "neutral", "500 replies are too few for a P95"],
  ];
  for (const [multiple, tone, part] of expected) {
    const report = sampleReport("passed");
    const latency = findDistribution(findScenario(report, "message-throughput"), "latency");
    assert(latency !== undefined);
    latency.p95 = multiple === null ? null : latency.p50 * multiple;
    assertEquals(insightWith(report, part).tone, tone);
  }
});

Deno.test("latency with concurrency goes the way that it went", () => {
  const report = sampleReport("passed");
  insightWith(report, "Latency increases with concurrency (0.86 ms → 2.69 ms average)");
  const concurrent = findDistribution(findScenario(report, "concurrent-connections"), "latency");
  assert(concurrent !== undefined);
  concurrent.mean = 500_000;
  insightWith(report, "Latency decreases with concurrency (0.86 ms → 0.50 ms average)");
  concurrent.mean = 860_001;
  insightWith(report, "Latency stays the same with concurrency (0.86 ms average)");
});

Deno.test("a connection is priced in calls", () => {
  const report = sampleReport("passed");
  const establish = findDistribution(findScenario(report, "connection-establishment"), "establish");
  const latency = findDistribution(findScenario(report, "message-throughput"), "latency");
  assert(establish !== undefined && latency !== undefined);
  insightWith(report, `as much time as ${Math.round(establish.p50 / latency.p50)} calls`);
  establish.p50 = latency.p50;
  insightWith(report, "session takes 0.82 ms (median).");
});

Deno.test("the pause before a reconnect is told as part of the recovery", () => {
  const report = sampleReport("passed");
  insightWith(report, "next good reply takes 8.00 ms (median).");
  report.scenarios[3].parameters.pauseMs = 500;
  insightWith(report, "8.00 ms (median), the pause of 500 ms between them included.");
});

Deno.test("a sound run says that every call was served", () => {
  const report = sampleReport("passed");
  const sent = report.scenarios.reduce((sum, { ledger }) => sum + ledger.sent, 0);
  assertEquals(insightWith(report, `All ${sent} calls were served`).tone, "good");
});

Deno.test("bad news comes first: limiter, losses by code, cache, bound client", () => {
  const texts = insights(sampleReport("failed")).map(({ tone, text }) => `${tone}: ${text}`);
  assertStringIncludes(texts[0], "bad: The server's rate limiter began at message 51 of a session");
  assertStringIncludes(
    texts[0],
    '"Rate limit exceeded: user_rate_limit_exceeded (retry after 0.1s)"',
  );
  assertStringIncludes(texts[0], "raise the server's limits, or stay under them with --max-rate");
  assertStringIncludes(
    texts[1],
    "98 of 100 calls were not served: 97 answered with an error (OVER_CAPACITY × 50, " +
      "TOOL_NOT_FOUND × 47), 1 without an answer in time",
  );
  assertStringIncludes(texts[2], "200 of 250 replies (80.0%) came from the server's cache");
  assertStringIncludes(texts[3], "do not trust these numbers: The client used 97 % of its core");
  assert(!texts.some((text) => text.includes("calls were served, each")));
});

Deno.test("an invalid measurement without a warning names the client's share", () => {
  const report = sampleReport("passed");
  report.scenarios[1].validity = {
    valid: false,
    clientCpu: 0.97,
    loopLagP99Ns: null,
    warnings: [],
  };
  assertStringIncludes(insightWith(report, "bottleneck").text, "(it used 97.0% of a core)");
  assertEquals(findings(report)[0].text, "The client itself could have bounded these numbers.");
});

Deno.test("up to one in a hundred replies from a cache is no news", () => {
  const report = sampleReport("passed");
  report.scenarios[1].ledger.cached = 5;
  assert(!insights(report).some(({ text }) => text.includes("cache")));
  report.scenarios[1].ledger.cached = 6;
  insightWith(report, "6 of 500 replies (1.2%) came from the server's cache");
});

Deno.test("a run that measured nothing has one insight: why", () => {
  const all = insights(sampleReport("preflight_failure"));
  assertEquals(all.length, 1);
  assertStringIncludes(all[0].text, "Nothing was measured: The server does not know the tool");
});

Deno.test("findings are ordered, each once, and losses are told where the verdict does not", () => {
  const report = sampleReport("failed");
  report.verdict.reasons.push(...report.verdict.reasons);
  assertEquals(findings(report).map(({ level }) => level), [
    "failure",
    "warning",
    "warning",
    "note",
    "note",
  ]);
  assertEquals(findings(sampleReport("skipped")).map(({ text }) => text), [
    "throughput of round 3 lies far from the rest (counted all the same)",
    "The scenario was skipped: the server accepts any token: its authentication is off",
  ]);
  report.verdict.reasons = [];
  assertStringIncludes(findings(report)[0].text, "98 of 100 calls were not served");
  assertEquals(findings(report)[0].level, "failure");
});

Deno.test("a limiter that the verdict already names is not told again", () => {
  const report = sampleReport("failed");
  const told = () => findings(report).filter(({ text }) => text.includes("--max-rate")).length;
  assertEquals(told(), 1);
  const { atCall } = report.rateLimit!;
  const message = `refused from message ${atCall} of the session on: use --max-rate`;
  report.verdict.reasons = [{ code: 3, scenario: null, message }];
  assertEquals(told(), 1);
  assertEquals(findings(report)[0].text, message);
});

Deno.test("next steps answer what was found", () => {
  const failed = nextSteps(sampleReport("failed")).join("\n");
  for (const part of ["--max-rate", "checks that failed", "on validity", "--rounds"]) {
    assertStringIncludes(failed, part);
  }
  const passed = nextSteps(sampleReport("passed")).join("\n");
  assertStringIncludes(passed, "--url");
  assertStringIncludes(passed, "--baseline report.json");
  assert(!passed.includes("--rounds"));
  assertEquals(nextSteps(sampleReport("preflight_failure")).length, 1);
  const skipped = nextSteps(sampleReport("skipped")).join("\n");
  assertStringIncludes(skipped, "--scenarios reconnection");
  assertStringIncludes(skipped, "authentication on a server that has it switched on");
});

Deno.test("calls that went with their connection send the reader to the server's log", () => {
  const report = sampleReport("failed");
  const told = () => nextSteps(report).some((step) => step.includes("server's log"));
  for (const { ledger } of report.scenarios) ledger.connectionLost = 0;
  assert(!told());
  report.scenarios.find(({ status }) => status === "failed")!.ledger.connectionLost = 1;
  assert(told());
});

Deno.test("rounds that an interrupt cut off are not asked for again", () => {
  const report = sampleReport("passed");
  const scenario = report.scenarios.find(({ name }) => name === "message-throughput")!;
  const throughput = scenario.metrics.find(({ name }) => name === "throughput")!;
  throughput.rounds.length = 2;
  const told = () => nextSteps(report).some((step) => step.includes("--rounds"));
  assert(told());
  scenario.status = "interrupted";
  scenario.parameters.rounds = 5;
  assert(!told());
  scenario.parameters.rounds = 2;
  assert(told());
});

Deno.test("nobody is told to switch authentication on where the protocol has none", () => {
  const report = sampleReport("skipped");
  const target = { ...report.target, protocol: "echo" } as const;
  assert(!nextSteps({ ...report, target }).join("\n").includes("authentication"));
});
