import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type Content, inlines, textOf } from "../../lib/report/document.ts";
import { renderMarkdown } from "../../lib/report/render/markdown.ts";
import { attention } from "../../lib/report/sections/attention.ts";
import { layersOf } from "../../lib/report/sections/first_screen.ts";
import { buildComparison, buildDocument } from "../../lib/report/sections/mod.ts";
import { renderTerminalSummary } from "../../lib/cli/write_reports.ts";
import { factWords, isLayer } from "../../lib/report/quantities.ts";
import { trustOf } from "../../lib/report/trust.ts";
import type { Metric, Report, ScenarioReport } from "../../lib/schema.ts";
import { sampleReport } from "../support/sample_report.ts";
import { times } from "../support/sample_scenario.ts";

function page(report: Report): string {
  const document = buildDocument(report, { charts: new Map(), audience: "page" });
  return renderMarkdown(document, { chartPath: () => null });
}

/** The page before its first heading. */
function firstScreen(report: Report): string {
  return page(report).split("\n## ")[0]!;
}

function passed(...scenarios: ScenarioReport[]): Report {
  return { ...sampleReport("passed"), scenarios };
}

function scenarioOf(name: string): ScenarioReport {
  return sampleReport("thorough").scenarios.find((scenario) => scenario.name === name)!;
}

function text(content: Content): string {
  return textOf(inlines(content));
}

Deno.test("the trust line states how well the numbers repeat, and the CPU the client used", () => {
  const { level, sentence } = trustOf(sampleReport("passed"));
  assertEquals(level, "good");
  assertEquals(
    text(sentence),
    "The headline numbers repeat within 4 %. The client used 31 % of a core.",
  );
});

Deno.test("a wide interval is named separately", () => {
  const report = sampleReport("passed");
  const latency = report.scenarios[1]!.metrics[0]!;
  assert(latency.kind === "distribution");
  latency.ci95.p50 = [600_000, 1_040_000];
  const { level, sentence } = trustOf(report);
  assertEquals(level, "caution");
  assertStringIncludes(
    text(sentence),
    "repeat within 4 %, except in Message throughput (27 %). The client",
  );
  const linked = "except in [Message throughput](#message-throughput-) (27 %)";
  assertStringIncludes(firstScreen(report), linked);
  const [item, ...others] = attention(report);
  assertEquals([text(item!.text), others], ["Another run may differ by up to 27 %", []]);
  assertStringIncludes(text(item!.action), "--precision 10");
});

Deno.test("the widest number of a scenario's cards counts, not only its headline", () => {
  const report = sampleReport("passed");
  const rate = report.scenarios[1]!.metrics.find(({ name }) => name === "throughput")!;
  assert(rate.kind === "scalar" && rate.role !== "headline");
  rate.ci95 = [100, 2_500];
  assertStringIncludes(firstScreen(report), "| **One client** | **1,150 msg/s** | ± 104 %");
  const { level, sentence } = trustOf(report);
  assertEquals(level, "caution");
  assertStringIncludes(text(sentence), "within 4 %, except in Message throughput (104 %).");
  assertEquals(attention(report).map(({ text: what }) => text(what)), [
    "Another run may differ by up to 104 %",
  ]);
});

Deno.test("in the table of scenarios the ± is next to its number", () => {
  const row = (title: string) => {
    const lines = firstScreen(sampleReport("passed")).split("\n");
    return lines.find((line) => line.includes(`[${title}]`))!.split(" | ").slice(2, 4);
  };
  assertEquals(row("Message throughput"), ["latency 820 µs ± 3 %", "1,150 msg/s"]);
  assertEquals(row("Concurrent connections"), ["latency 2.61 ms", "1,770 msg/s ± 4 %"]);
  const shown = renderTerminalSummary(sampleReport("passed"), { color: false, width: 100 });
  assert(/Message throughput +latency 820 µs ± 3 % +1,150 msg\/s {2}/.test(shown), shown);
});

/** A run whose scenarios have intervals of these relative half-widths. */
function repeating(...widths: number[]): Report {
  const report = sampleReport("passed");
  const [first] = report.scenarios as [ScenarioReport];
  const scenarios = widths.map((width, nth): ScenarioReport => ({
    ...first,
    title: `S${nth + 1}`,
    metrics: [{
      ...{ kind: "scalar", name: "rate", unit: "msg/s", better: "higher", role: "headline" },
      ...{ value: 1000, ci95: [1000 * (1 - width), 1000 * (1 + width)], epochs: [] },
      spread: { within: null, between: null },
    }],
  }));
  return { ...report, scenarios };
}

Deno.test("numbers that repeat worse than most are named with their figure, the worst three at most", () => {
  const line = (...widths: number[]) =>
    text(trustOf(repeating(...widths)).sentence).split(". ")[0]!.replace(/^.* repeat within /, "");
  assertEquals(line(0.02, 0.096, 0.04), "9.6 %");
  assertEquals(line(0.02, 0.41, 0.04), "4 %, except in S2 (41 %)");
  assertEquals(line(0.23, 0.02, 0.41, 0.04), "4 %, except in S3 (41 %) and S1 (23 %)");
  assertEquals(
    line(0.23, 0.02, 0.41, 0.04, 0.39, 0.01),
    "4 %, except in S3 (41 %), S5 (39 %) and S1 (23 %)",
  );
  const few = [0.02, 0.04, 0.01, 0.03];
  assertEquals(
    line(...few, 0.15, 0.41, 0.39, 0.23),
    "4 %, except in S6 (41 %), S7 (39 %), S8 (23 %) and 1 other (15 %)",
  );
  assertEquals(
    line(...few, 0.1, 0.05, 0.15, 0.41, 0.12, 0.39, 0.23, 0.13),
    "10 %, except in S8 (41 %), S10 (39 %), S11 (23 %) and 3 others (up to 15 %)",
  );
});

Deno.test("if most numbers repeat badly, the stated figure is one that half of them keep", () => {
  const trust = (...widths: number[]) => trustOf(repeating(...widths));
  const { level, sentence } = trust(0.06, 0.8, 0.5, 0.3, 0.25);
  assertEquals(level, "caution");
  assertStringIncludes(text(sentence), "within 30 %, except in S2 (80 %) and S3 (50 %).");
  assertStringIncludes(text(trust(0.3).sentence), "within 30 %.");
  assertEquals(trust(0.3).level, "caution");
  // Equal figures are no exceptions.
  assertStringIncludes(text(trust(0.301, 0.3, 0.299).sentence), "within 30 %.");
});

Deno.test("no line of the terminal begins with a percent sign", () => {
  const report = sampleReport("passed");
  for (let width = 40; width < 100; width++) {
    const lines = renderTerminalSummary(report, { color: false, width }).split("\n");
    assert(!lines.some((line) => line.startsWith("%")), `${width} columns`);
  }
});

Deno.test("a number measured once is not reported as missing epochs", () => {
  const report = sampleReport("passed");
  report.epochs = 0;
  report.scenarios = report.scenarios.slice(0, 1);
  report.scenarios[0]!.metrics = [{
    ...{ kind: "scalar", name: "burst", unit: "calls", better: null, value: 50, ci95: null },
    ...{ role: "headline", epochs: [], spread: { within: null, between: null } },
  }];
  assertStringIncludes(text(trustOf(report).sentence), "not known (measured once, not in epochs)");
});

Deno.test("numbers that must not be quoted are named with the reason", () => {
  const { level, sentence } = trustOf(sampleReport("failed"));
  assertEquals(level, "bad");
  const line = text(sentence);
  const parts = [
    "Do not quote Message throughput (failed), Concurrent connections (the client was the bottleneck), " +
    "Reconnection (it drifts). The headline",
    "The client may have been the bottleneck in Connection establishment",
    "Processes waited for a CPU core 31 % of the time",
  ];
  for (const part of parts) assertStringIncludes(line, part);
});

Deno.test("if no number can be quoted, that is stated once, with the causes", () => {
  const report = sampleReport("passed");
  for (const { validity } of report.scenarios) validity.valid = false;
  report.scenarios[0]!.status = "interrupted";
  report.scenarios[1]!.validity.warnings = [{ kind: "drift", message: "it drifts" }];
  const { level, sentence } = trustOf(report);
  assertEquals(level, "bad");
  assertStringIncludes(
    text(sentence),
    "Do not quote any number of this run (interrupted: Connection establishment; it drifts: Message " +
      "throughput; not valid: Concurrent",
  );
  assert(!text(sentence).includes("repeat"));
});

Deno.test("runs with too few epochs, or none, state that there is no interval", () => {
  const report = sampleReport("passed");
  report.epochs = 3;
  for (const metric of report.scenarios.flatMap(({ metrics }) => metrics)) {
    if (metric.kind === "scalar") metric.ci95 = null;
    else metric.ci95.p50 = null;
  }
  assertStringIncludes(text(trustOf(report).sentence), "is not known (3 epochs of the 5");
  assertEquals(
    text(trustOf(sampleReport("preflight_failure")).sentence),
    "There are no numbers: nothing was measured.",
  );
});

Deno.test("the verdict names its cause, and a missed threshold does not fail a scenario", () => {
  const report = sampleReport("passed");
  report.verdict = {
    status: "failed",
    exitCode: 4,
    reasons: [{ code: 4, kind: "threshold", scenario: null, message: "errors=1: 0.0000" }],
  };
  report.thresholds = [
    { expression: "errors=1", observed: 0, unit: "", passed: false, reason: null },
  ];
  assertEquals(firstScreen(report).match(/errors=1/g)?.length, 1);
  assertStringIncludes(
    firstScreen(report),
    "**❌ FAILED: a threshold was missed** (7 of 7 scenarios passed in 41 s)",
  );
});

Deno.test("thresholds are reported in the unit that the user wrote", () => {
  const screen = firstScreen(sampleReport("compared"));
  assertStringIncludes(screen, "✅ message-throughput.latency.p95&lt;5ms: 1.43 ms");
  for (const unit of ["us", "µs", "μs"]) {
    const report = sampleReport("compared");
    report.thresholds![0]!.expression = `message-throughput.latency.p95<5000${unit}`;
    assertStringIncludes(firstScreen(report), `&lt;5000${unit}: 1,430 µs`);
  }
  assertStringIncludes(screen, "❌ `errors=1`: 0");
  assertStringIncludes(screen, "➖ soak.latency.p99&lt;1ms: not measured: soak was not run");
});

Deno.test("the first screen has the headline of a scenario run alone, for every scenario", () => {
  for (const { name, title } of sampleReport("thorough").scenarios) {
    const screen = firstScreen(passed(scenarioOf(name)));
    assert(/\| \*\*[^|]+\*\* \| \*\*[\d.,]+/.test(screen), screen);
    assertStringIncludes(screen, title);
  }
  assertStringIncludes(firstScreen(passed(scenarioOf("saturation"))), "**812 calls/s**");
});

Deno.test("the first screen lists at most three findings, each with an action", () => {
  const report = sampleReport("failed");
  const all = attention(report);
  assertEquals(all.length, 4);
  assert(all.every(({ action }) => text(action) !== ""));
  assertEquals(firstScreen(report).match(/ → /g)?.length, 3);
  const [, next = ""] = page(report).split("## Next steps");
  assertStringIncludes(next.split("## ")[0]!, "recovery went from 8 ms to 12.1 ms");
  assertEquals(attention(sampleReport("passed")), []);
});

Deno.test("advice that an item has given is not repeated, nor advice that its text has", () => {
  const report = sampleReport("passed");
  const [first, second, third] = report.scenarios as [ScenarioReport, ...ScenarioReport[]];
  const reason = (code: number, scenario: string | null) => ({
    code,
    kind: "checkFailed",
    scenario,
    message: `${scenario}: no reply`,
  });
  report.verdict.reasons = [reason(1, first.name), reason(1, second!.name)];
  third!.validity.valid = false;
  third!.validity.warnings = [{ kind: "clientLate", message: "late; use an idle machine" }];
  const actions = () => attention(report).map(({ action }) => text(action));
  assertEquals(actions(), [
    "see the failed checks: each shows what was expected and what was observed.",
    "",
    "run again before quoting its numbers.",
  ]);
  third!.validity.warnings = [{ kind: "changed", message: "the machine changed" }];
  assertEquals(actions()[2], "run again on an idle machine before quoting its numbers.");
  const screen = firstScreen(sampleReport("preflight_failure"));
  assertStringIncludes(screen, "did you mean status?\n");
});

Deno.test("of several warnings of one kind, an item quotes the first", () => {
  const report = sampleReport("passed");
  const { validity } = report.scenarios[0]!;
  const late = (rate: number) => ({ kind: "clientLimit", message: `cannot send ${rate} calls/s` });
  validity.valid = false;
  validity.warnings = [late(33_200), late(38_300), { kind: "cached", message: "from a cache" }];
  const [item] = attention(report).map((one) => text(one.text));
  assertStringIncludes(item!, ": cannot send 33200 calls/s; from a cache");
});

Deno.test("an interrupted run mentions its numbers only if it has some", () => {
  const report = sampleReport("interrupted");
  assertStringIncludes(firstScreen(report), "run again: the numbers cover only what was measured");
  for (const scenario of report.scenarios) scenario.metrics = [];
  const screen = firstScreen(report);
  assertStringIncludes(screen, "There are no numbers: nothing was measured.");
  assertStringIncludes(screen, "interrupted by SIGINT → run again.\n");
});

Deno.test("--baseline is advised only if there are earlier runs to compare with", () => {
  const report = sampleReport("passed");
  assert(!page(report).includes("--baseline"));
  report.comparison = { ...sampleReport("compared").comparison!, automatic: true };
  const step = "Make regressions fail the run: `--baseline` with the history folder next to " +
    "`report.json`.";
  assertStringIncludes(page(report), step);
  report.comparison.automatic = false;
  assert(!page(report).includes("Make regressions fail"));
});

Deno.test("a long sweep shows its last places and some of the others, and counts them", () => {
  const report = structuredClone(sampleReport("thorough"));
  const scaling = report.scenarios.find(({ name }) => name === "scaling")!;
  const latency = scaling.metrics.find(({ name, at }) => name === "latency" && at?.clients === 1)!;
  const clients = Array.from({ length: 40 }, (_, index) => index + 1);
  scaling.metrics = clients.map((count) => ({ ...latency, at: { clients: count } }));
  const lines = page(report).split("\n");
  const head = lines.findIndex((line) => line.startsWith("| Clients (16 of 40) |"));
  const shown = lines.slice(head + 2, head + 18).map((line) => parseInt(line.slice(2)));
  assertEquals(shown, [1, 5, 9, 13, 17, 21, 25, 29, ...clients.slice(-8)]);
  assertEquals(lines[head + 18], "");
});

Deno.test("a change of a breakdown's headline is reported for the call, not for a layer", () => {
  const scenario = sampleReport("thorough").scenarios.find(({ metrics }) => metrics.some(isLayer))!;
  const fact = { kind: "changed", message: "", first: 1e6, last: 2e6 };
  assertStringIncludes(factWords(scenario, fact), "call went from 1 ms to 2 ms");
});

Deno.test("a percentile that falls among unanswered calls is at least the timeout", () => {
  const percentiles = { p95: 2e6, p99: 10e9, max: 10e9 };
  const counts = { count: 1960, censored: 40 };
  const metric = times("latency", 1, 2000, { role: "headline", ...counts, ...percentiles });
  const report = passed({ ...scenarioOf("message-throughput"), metrics: [metric] });
  const row = page(report).split("\n").find((line) => line.startsWith("| latency |"))!;
  assertStringIncludes(row, "| 2 ms | at least 10,000 ms |");
});

Deno.test("a percentile is at least its value if it is the timeout in one of the epochs", () => {
  const metric = times("latency", 1, 20_000, { role: "headline", p95: 2e6, p99: 3e6 });
  metric.epochs.forEach((epoch) => epoch.count = 2000);
  Object.assign(metric.epochs[3]!, { count: 1960, censored: 40 });
  Object.assign(metric, { count: 19_960, censored: 40 });
  const report = passed({ ...scenarioOf("message-throughput"), metrics: [metric] });
  const row = page(report).split("\n").find((line) => line.startsWith("| latency |"))!;
  assertStringIncludes(row, "| 2 ms | at least 3 ms |");
});

Deno.test("a scenario's own answer replaces the one made from its headline", () => {
  const scenario = scenarioOf("message-throughput");
  assertStringIncludes(
    page(passed(scenario)),
    "\nLatency: median 820 µs (795 to 845), p99 1.56 ms.",
  );
  const own = page(passed({ ...scenario, answer: "Fast enough." }));
  assertStringIncludes(own, "\nFast enough.\n");
  assert(!own.includes("Latency: median"));
  assertStringIncludes(
    page(passed(scenarioOf("overhead-breakdown"))),
    "A call: median 820 µs (795 to 845), 78 % of it server routing.",
  );
});

Deno.test("failed checks are open, passed ones folded", () => {
  const text = page(sampleReport("failed"));
  const [, section = ""] = text.split("### Message throughput ❌");
  const open = section.split("<details>")[0]!;
  assertStringIncludes(open, "| ❌ | every call was served | 100 of 100 | 2 of 100 |");
  assertStringIncludes(open, "- `TOOL_NOT_FOUND` x 47: No tool chat");
  assertStringIncludes(section, "<details><summary>1 of 1 check failed, 2 of 100 calls served");
});

Deno.test("where the time of a call goes leaves out JSON, which other layers contain", () => {
  const report = sampleReport("passed");
  const bar = () => page(report).split("Where the time of a call goes")[1]!.split("\n\n")[1]!;
  const shares = [...bar().matchAll(/\*\*([\d.]+) %/g)].map(([, share]) => Number(share));
  assertEquals([bar().includes("JSON"), shares.length], [false, 6]);
  assert(Math.abs(shares.reduce((sum, share) => sum + share) - 100) < 1, `${shares}`);
  report.scenarios.flatMap(layersOf)[1]!.added.above = "dispatch";
  assert(bar().includes("JSON"));
});

Deno.test("a sweep is a table of its places, layers are a table of what each one adds", () => {
  const report = sampleReport("thorough");
  const text = page(report);
  assertStringIncludes(
    text,
    "| Clients | throughput | latency, median | latency, p99 | efficiency |",
  );
  const payload = report.scenarios.find(({ name }) => name === "payload-size")!;
  const sizes = (page: string) =>
    [...page.matchAll(/^\| ([\d.]+ [KM]?i?B) \|/gm)].map(([, at]) => at);
  assertEquals(sizes(text), ["64 B", "4 KiB", "1 MiB"]);
  payload.metrics.reverse();
  assertEquals(
    sizes(page(report)),
    ["64 B", "4 KiB", "1 MiB"],
    "in order of size, not of measurement",
  );
  assertStringIncludes(
    text,
    "| server routing | 640 µs | 576 to 704 µs | 78 % | 706 µs | the server |",
  );
});

Deno.test("settings have their units, and a layer that saves time a minus sign", () => {
  const report = sampleReport("passed");
  report.scenarios[0]!.parameters = { payloadBytes: 0, durationMs: 200, ratePerSecond: 5, n: null };
  report.scenarios[1]!.metrics.push(
    ...["ipBurst", "ipRefill"].map((name): Metric => ({
      ...{ kind: "scalar", name, unit: "calls", better: null, role: "detail", value: 50 },
      ...{ ci95: null, epochs: [], spread: { within: null, between: null } },
    })),
  );
  report.scenarios.flatMap(layersOf)[0]!.added.value = -2_700;
  const shown = page(report);
  assertStringIncludes(shown, "Settings: payload 0 B, duration 200 ms, rate 5 a second.");
  assertStringIncludes(shown, "| −2.70 µs |");
  assertStringIncludes(shown, "| IP burst | 50 calls |");
  assertEquals(shown.match(/is what a layer takes beyond what it contains/g)?.length, 1);
});

Deno.test("numbers that are not the server's own are a warning that names the scenario", () => {
  const report = sampleReport("passed");
  report.scenarios[3]!.validity.valid = false;
  assertStringIncludes(
    page(report),
    "- ⚠️ Numbers are the server's own (not limited by the client, not from a cache): 6/7, except " +
      "[Reconnection]",
  );
});

Deno.test("the factor to unit tests appears in one section, and only if it was measured", () => {
  const sections = page(sampleReport("passed")).split(/\n## /)
    .filter((section) => /slower/.test(section) && !section.startsWith("Method"));
  assertEquals(sections.length, 1);
  assert(sections[0]!.startsWith("Performance and the testing pyramid"));
  const report = sampleReport("passed");
  report.scenarios[1]!.metrics.pop();
  assert(!/\d slower/.test(page(report)));
});

/** Matches what a page says about throughput. */
const THROUGHPUT = /msg\/s|rate of one|slower than unit|fairness/;

Deno.test("with a capped rate, latencies are reported and throughput is not", () => {
  const report = sampleReport("passed");
  for (const { parameters } of report.scenarios) parameters.maxRatePerSecond = 10;
  const { level, sentence } = trustOf(report);
  assertEquals(level, "caution");
  assertStringIncludes(text(sentence), "capped, so only the latencies are the server's");
  report.rateLimit = {
    ...{ scenario: null, atCall: 51, message: "slow down", owner: "session", burst: 50 },
    ...{ refillPerSecond: 5, addressRefillPerSecond: 10, keptToPerSecond: 4 },
  };
  assertStringIncludes(
    text(trustOf(report).sentence),
    "Your server's rate limit: a burst of 50 calls, then 5 a second per session and 10 a second per " +
      "address. This run stayed at 4 a second, so throughput is not reported.",
  );
  assertEquals(attention(report), []);
  report.rateLimit = { scenario: "message-throughput", atCall: 51, message: "slow down" };
  assertStringIncludes(text(trustOf(report).sentence), ". A rate limiter refused calls, so only");
  const shown = page(report);
  assert(!/\dx /.test(shown) && !THROUGHPUT.test(shown.replace("3.10M msg/s", "")));
  assertStringIncludes(firstScreen(report), "| **Latency** | **820 µs** |");
  assertStringIncludes(shown, "| **Throughput (Single Client)** | – | not measured | ➖ |");
});

Deno.test("with a limiter that refused calls, throughput is not reported either", () => {
  const report = sampleReport("passed");
  for (const { ledger } of report.scenarios) ledger.rateLimited = 1;
  assert(!THROUGHPUT.test(page(report).replace("3.10M msg/s", "")));
});

Deno.test("overload and late sending are attributed correctly, even in a failed scenario", () => {
  const report = sampleReport("failed");
  const [scenario] = report.scenarios as [ScenarioReport];
  scenario.validity.valid = false;
  scenario.validity.warnings = [
    { kind: "serverBehind", message: "it answered 154 of 300 calls/s" },
    { kind: "clientLate", message: "the p99 of slip is 3 ms" },
  ];
  report.verdict.reasons.unshift({
    ...{ code: 1, kind: "checkFailed", scenario: scenario.name, message: "slots were dropped" },
  });
  const items = attention(report).map(({ text: what, action }) => `${text(what)} ${text(action)}`);
  const item = items.find((one) => one.includes("154 of 300"))!;
  assertStringIncludes(item, "the p99 of slip is 3 ms");
  assertStringIncludes(item, "this is the server's limit: offer less");
});

Deno.test("a scenario run alone has all its metrics on the first screen", () => {
  const report = sampleReport("passed");
  const scalar = (name: string, value: number): Metric => ({
    ...{ kind: "scalar", name, unit: "calls/s", better: null, value, ci95: null, epochs: [] },
    ...{ role: name === "first" ? "headline" : "detail", spread: { within: null, between: null } },
  });
  const [scenario] = report.scenarios as [ScenarioReport];
  report.scenarios = [{
    ...scenario,
    title: "Limits",
    metrics: [scalar("first", 50), scalar("second", 5)],
  }];
  const screen = firstScreen(report);
  for (const shown of ["Limits: first", "50 calls/s", "Limits: second", "5 calls/s"]) {
    assertStringIncludes(screen, shown);
  }
  report.scenarios[0]!.metrics = [];
  report.scenarios[0]!.notMeasured = [{ name: "limit", reason: "no call was refused" }];
  assertStringIncludes(firstScreen(report), "limit: no call was refused");
  const [, throughput] = sampleReport("passed").scenarios as [ScenarioReport, ScenarioReport];
  assert(!firstScreen(passed(throughput)).includes("Message throughput: throughput"), "twice");
});

Deno.test("failed calls give no factor, and a missed threshold is marked as failed", () => {
  const report = sampleReport("passed");
  report.thresholds = [{
    ...{ expression: "message-throughput.latency.p95<1ms", observed: 1_240_000, unit: "ns" },
    ...{ passed: false, reason: null },
  }];
  assertStringIncludes(
    page(report),
    "| **P95 Latency** | 1.24 ms | N/A; p95 of 2,000 samples | ❌ |",
  );
  report.scenarios[1]!.status = "failed";
  assert(!page(report).includes("slower"));
});

Deno.test("a missed threshold marks the metric that it names, not one with a longer name", () => {
  const report = sampleReport("phase3");
  const bound = { observed: 1, unit: "msg/s", passed: false, reason: null };
  report.thresholds = [{ ...bound, expression: "heavy-tools.throughputAlone>1000" }];
  const marks = (label: string) =>
    page(report).split("\n").find((line) => line.startsWith(`| **${label}** |`))!.slice(-5);
  assertEquals([marks("One client"), marks("Several clients")], ["| ❌ |", "| ✅ |"]);
  const { name, at } = report.scenarios.find(({ name }) => name === "heavy-tools")!.metrics
    .find(({ name, at }) => name === "latency" && at !== undefined)!;
  const tool = String(Object.values(at!)[0]);
  for (const subject of [`${name}.${tool}.p50`, `${name}@${tool}.p50`]) {
    report.thresholds = [{ ...bound, expression: ` heavy-tools.${subject} < 1ms`, unit: "ns" }];
    assertEquals(marks(`Latency of ${tool}`), "| ❌ |");
  }
});

Deno.test("the phase document has the required sections in order", () => {
  const headings = (kind: "phase2" | "phase3") =>
    [...page(sampleReport(kind)).matchAll(/^#{1,2} (.*)$/gm)].map(([, heading]) => heading);
  const order = ["Objective", "Completed Tasks", "Performance Results", "Key Achievements"]
    .concat("Performance Comparison", "Detailed Test Results", "Next Steps", "Files")
    .concat("Validation Checklist", "Success Criteria", "Performance Insights");
  for (const [kind, title] of [["phase2", "Phase 2:"], ["phase3", "Phase 3:"]] as const) {
    const [first = "", ...rest] = headings(kind);
    assert(first.startsWith(title), first);
    assertEquals(order.map((name, index) => rest[index]?.includes(name)), order.map(() => true));
  }
  assert(!headings("phase2").slice(1).some((heading) => heading!.includes("Phase")));
});

Deno.test("a comparison states its decisions, their basis, and what would decide the rest", () => {
  const document = buildComparison(sampleReport("compared").comparison!);
  const text = renderMarkdown(document, { chartPath: () => null });
  const parts = [
    "1 slower, 1 undecided against 5 earlier runs; the noise between runs is learned from them.",
    "|  | Metric | Before | Now | Change | Interval | Verdict |",
    "| ❌ | message-throughput latency median | 700 µs | 820 µs | +17.1 % | +12.0 % to +23.0 % | slower |",
    "| undecided | 14 more runs would decide |",
    "more calls ended as timeout: 0 before, 3 now",
    "No longer measured: pipelining.",
  ];
  for (const part of parts) assertStringIncludes(text, part);
});

Deno.test("two servers: the verdicts come first, then the results of B", () => {
  const report = sampleReport("ab");
  const screen = firstScreen(report);
  const parts = [
    "against A ws",
    "**❌ FAILED: B is worse than A** (7 of 7 scenarios passed",
    "B against A: 2 slower, 1 undecided, 1 same; both servers were measured in the same 10 epochs.",
    "26 epochs in all would decide what is undecided (--epochs).",
    "| slower | without the client's part +26.0 % (+23.0 % to +29.0 %) |",
    "| undecided | 26 epochs would decide; detects 9 % or more |",
    "It mattered which server was measured first in message-throughput (1.03x, p = 0.0039)",
    "restarted for each epoch",
    "Results of B",
  ].map((part) => screen.indexOf(part));
  assertEquals(parts, parts.toSorted((a, b) => a - b));
  assert(parts[0]! > 0, `${parts}`);
  assert(!/Checklist|Next steps|pyramid/.test(page(report)), "only the sections of a comparison");
  report.ab!.orderEffects = [];
  assert(!page(report).includes("It mattered"));
});

Deno.test("two servers with too few epochs: that is said once; with none, not at all", () => {
  const report = sampleReport("ab");
  const comparison = report.comparison!;
  for (const row of comparison.rows) {
    Object.assign(row, { verdict: "undecided", why: "tooFewEpochs", need: 6, smallest: null });
  }
  const screen = firstScreen(report);
  assertEquals(screen.match(/6 epochs/g), ["6 epochs"]);
  assert(!screen.includes("too few epochs"));
  comparison.rows[0]!.why = "noise";
  assert(firstScreen(report).includes("too few epochs; 6 epochs would decide"), "of one row");
  comparison.rows = [];
  assert(!firstScreen(report).includes("both servers were measured"));
});

Deno.test("a narrow terminal keeps the throughput, a wide one shows the rest", () => {
  const report = sampleReport("passed");
  const [wide, narrow] = [100, 50].map((width) =>
    renderTerminalSummary(report, { color: false, width })
  );
  for (const line of narrow!.split("\n")) assert([...line].length <= 50, line);
  assertStringIncludes(narrow!, "Throughput");
  assert(!narrow!.includes("Epochs") && wide!.includes("Epochs"));
  assertStringIncludes(wide!, "The headline numbers repeat within 4 %");
  assert(/├─+┤/.test(wide!));
});

Deno.test("the terminal plots the server's times only, and says which and from where to where", () => {
  const report = sampleReport("passed");
  const legend = (width = 100) =>
    renderTerminalSummary(report, { color: false, width }).split(/[└┘]\n[^\n]*\n/).at(-1)!.trim();
  assertEquals(legend(), "Establish and latency, from p5 to p99; logarithmic scale");
  assert(legend(50).split("\n").every((line) => line.length <= 50));
  const [, calls] = report.scenarios as [ScenarioReport, ScenarioReport];
  const latency = calls.metrics.find(({ name }) => name === "latency")!;
  assert(latency.kind === "distribution");
  latency.p99 = null;
  assertEquals(
    legend(),
    "Establish and latency, from p5 to p99; message-throughput, from p5 to p95; logarithmic scale",
  );
  // Without its latency, a paced scenario has only the client's times.
  const recovery = calls.metrics.find(({ name }) => name === "throughput")!;
  calls.metrics = [
    { ...recovery, name: "recovery", role: "headline" },
    { ...latency, name: "slip", role: "detail" },
  ];
  assertEquals(legend(), "Establish and latency, from p5 to p99; logarithmic scale");
  assert(!/message-throughput +├/.test(renderTerminalSummary(report, { color: false, width: 99 })));
});

Deno.test("colours appear only if asked for, and do not change widths", () => {
  const report = sampleReport("failed");
  const plain = renderTerminalSummary(report, { color: false, width: 80 });
  const painted = renderTerminalSummary(report, { color: true, width: 80 });
  assert(!plain.includes("\x1b["));
  assert(painted.includes("\x1b[31m✗\x1b[0m"));
  assertEquals(painted.replaceAll(new RegExp("\x1b\\[\\d+m", "g"), ""), plain);
});

Deno.test("the breakdown of a call is left out if its parts do not fit the whole", () => {
  const title = "Where the time of a call goes";
  const report = sampleReport("passed");
  const layers = report.scenarios.flatMap(layersOf).map(({ added }) => added);
  const bar = firstScreen(report).split(title)[1]!.trim().split("\n")[0]!;
  assert(/ \*\*\d+ %\*\*, /.test(bar) && !/\d [nµm]s/.test(bar), bar);
  // The one between them is JSON, which is not in the bar.
  const [first, , second] = layers as [typeof layers[number], unknown, typeof layers[number]];
  const [one, other] = [first.share!, second.share!];
  first.share = one + other + 0.05;
  second.share = -0.05;
  assert(!firstScreen(report).includes(title), "a part is negative");
  [first.share, second.share] = [one + 0.2, other];
  assert(!firstScreen(report).includes(title), "more than the whole");
  first.share = one + 0.05;
  assertStringIncludes(firstScreen(report), title);
  first.value = -2_700;
  assert(!firstScreen(report).includes(title), "a negative time");
});

Deno.test("the reason for an undecided change moves to its own line in a narrow terminal", () => {
  const rowIn = (width: number) => {
    const text = renderTerminalSummary(sampleReport("compared"), { color: false, width });
    const lines = text.split("\n");
    const at = lines.findIndex((line) => line.startsWith("?  concurrent-connections"));
    return lines.slice(at, at + 2);
  };
  assertEquals(rowIn(100)[1], "     14 more runs would decide");
  const wide = rowIn(200);
  assert(wide[0]!.endsWith("14 more runs would decide"), wide[0]);
  assertEquals(wide[1]!.trim(), "");
});

Deno.test("a call that is no slower alongside others is 'no slowdown', not 0.967x", () => {
  const report = sampleReport("phase3");
  const scenario = report.scenarios.find(({ name }) => name === "head-of-line")!;
  const interference = scenario.metrics.filter(({ name }) => name === "interference");
  assert(interference.length > 0);
  for (const metric of interference) {
    if (metric.kind === "scalar") Object.assign(metric, { value: 0.967, better: "lower" });
  }
  const text = page(report);
  assertStringIncludes(text, "no slowdown seen");
  assert(!text.includes("0.967x"));
});
