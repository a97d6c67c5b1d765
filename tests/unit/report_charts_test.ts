import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import type { Report } from "../../lib/schema.ts";
import { fittedScale, linearScale, logScale, type Scale } from "../../lib/report/charts/axes.ts";
import { percentileCurve } from "../../lib/report/charts/latency_distribution.ts";
import { silentIntervals } from "../../lib/report/charts/latency_over_time.ts";
import { chartPlans, renderCharts } from "../../lib/report/charts/mod.ts";
import { chartSignature } from "../../lib/report/charts/svg.ts";
import { CHART_STYLE, CHART_WIDTH, COLORS } from "../../lib/report/charts/theme.ts";
import { cut, slug } from "../../lib/report/charts/words.ts";
import { DistributionRecorder } from "../../lib/stats/summary.ts";
import { chartedReport, drawn, hostileChartedReport } from "../support/sample_charts.ts";
import { SAMPLE_KINDS, sampleReport, sampleScenario } from "../support/sample_report.ts";

/** Every report that there is a sample of. */
function allReports(): Report[] {
  return [...SAMPLE_KINDS.map(sampleReport), chartedReport(), hostileChartedReport()];
}

function chartOf(report: Report, name: string) {
  const chart = renderCharts(report).find((chart) => chart.name === name);
  assert(chart !== undefined, name);
  return chart;
}

/** The texts that a picture shows, as a reader sees them. */
function textsOf(svg: string): string[] {
  return [...svg.matchAll(/<text [^>]*>([^<]*)<\/text>/g)].map(([, text]) =>
    text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"')
      .replaceAll("&#39;", "'").replaceAll("&amp;", "&")
  );
}

Deno.test("the same report gives the same bytes, whatever was drawn before", () => {
  const first = renderCharts(chartedReport());
  renderCharts(hostileChartedReport());
  assertEquals(renderCharts(chartedReport()), first);
});

Deno.test("every chart is small, sized for a page and named as a file of its own", () => {
  for (const report of allReports()) {
    const charts = renderCharts(report);
    for (const { name, svg } of charts) {
      assert(new TextEncoder().encode(svg).length < 60_000, name);
      assert(/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name), name);
      assert(svg.startsWith(chartSignature(name)), name);
      assertStringIncludes(svg, ` width="${CHART_WIDTH}" `);
      assertStringIncludes(svg, `<style>${CHART_STYLE}</style>`);
    }
    assertEquals(new Set(charts.map(({ name }) => name)).size, charts.length);
  }
});

Deno.test("the longest course and the widest comparison stay under 60 kB", () => {
  const report = chartedReport();
  const latency = report.scenarios.find(({ name }) => name === "soak")!.metrics[0]!;
  assert(latency.kind === "distribution");
  latency.series = Array.from({ length: 600 }, (_, index) => ({
    atMs: index * 1000.25,
    count: 1000,
    p50: 812_345 + 7 * index,
    p99: 2_812_345 + 1013 * index,
    max: 40_812_345 + 99_991 * (index % 13),
  }));
  const { rows } = report.comparison!;
  report.comparison!.rows = Array.from({ length: 60 }, (_, index) => rows[index % rows.length]!);
  for (const { name, svg } of renderCharts(report)) assert(svg.length < 60_000, name);
  assertStringIncludes(chartOf(report, "comparison").svg, "36 more rows in the table");
});

Deno.test("ids are unique in a page of all charts, and what refers to one finds it", () => {
  const page = renderCharts(chartedReport()).map(({ svg }) => svg).join("");
  const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
  assertEquals(new Set(ids).size, ids.length);
  const targets = [...page.matchAll(/url\(#([^)]*)\)/g)].map(([, id]) => id);
  assert(targets.length > 10);
  for (const target of targets) assert(ids.includes(target), target);
});

Deno.test("a chart has no script, no inline style, and nothing to fetch", () => {
  for (const report of allReports()) {
    for (const { svg } of renderCharts(report)) {
      const tags = new Set(svg.match(/<[a-zA-Z]+/g));
      for (const tag of tags) {
        assert(
          ["<svg", "<style", "<rect", "<path", "<polygon", "<text", "<g", "<defs", "<clipPath"]
            .includes(tag),
          tag,
        );
      }
      const plain = svg.replace('xmlns="http://www.w3.org/2000/svg"', "");
      for (const attribute of plain.matchAll(/ ([a-zA-Z:-]+)="([^"]*)"/g)) {
        const [, name, value] = attribute;
        assert(!/^(on|style$|href$|xlink|src$)/.test(name), name);
        if (name !== "aria-label") assert(!/https?:|data:|javascript:/.test(value), value);
      }
    }
  }
});

Deno.test("every tag is closed, and no character is one that XML forbids", () => {
  for (const { svg } of renderCharts(hostileChartedReport())) {
    const open: string[] = [];
    for (
      const [, slash, name, empty] of svg.matchAll(/<(\/?)([a-zA-Z]+)(?:[^<>"]|"[^"<]*")*?(\/?)>/g)
    ) {
      if (slash === "/") assertEquals(open.pop(), name);
      else if (empty === "") open.push(name);
    }
    assertEquals(open, []);
    assert(
      // deno-lint-ignore no-control-regex
      !/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|&(?!(?:amp|lt|gt|quot|#39);)/.test(
        svg,
      ),
    );
  }
});

Deno.test("a server's words are text, in one line and cut where there is no more room", () => {
  const { title, svg } = chartOf(hostileChartedReport(), "comparison");
  assertStringIncludes(title, "Against the baseline");
  const names = textsOf(svg).filter((text) => text.startsWith("a|b"));
  assertEquals(names.length, 5);
  for (const name of names) assert([...name].length <= 40 && !/[\r\n]/.test(name), name);
});

Deno.test("each colour of a chart has another one on a dark page", () => {
  const known = new Set<string>(Object.values(COLORS));
  assertEquals(known.size, Object.keys(COLORS).length);
  for (const report of allReports()) {
    for (const { name, svg } of renderCharts(report)) {
      const shown = svg.replace(/<style>.*?<\/style>/, "").replace(/<defs[\s\S]*<\/defs>/, "");
      for (const [, color] of shown.matchAll(/ (?:fill|stroke)="([^"]*)"/g)) {
        assert(color === "none" || known.has(color), `${name}: ${color}`);
      }
    }
  }
  for (const color of known) {
    for (const property of ["fill", "stroke"]) {
      assertStringIncludes(CHART_STYLE, `[${property}="${color}"]{${property}:#`);
    }
  }
});

Deno.test("what was not measured has no chart", () => {
  assertEquals(renderCharts(sampleReport("preflight_failure")), []);
  const interrupted = renderCharts(sampleReport("interrupted"));
  assertEquals([...new Set(interrupted.map(({ scenario }) => scenario))], [
    "connection-establishment",
  ]);
  const report = sampleReport("passed");
  for (const scenario of report.scenarios) scenario.metrics = [];
  assertEquals(renderCharts(report), []);
});

Deno.test("a chart of what failed or is not valid says so before anything else", () => {
  const report = chartedReport();
  const plan = (name: string) => chartPlans(report).find((plan) => plan.name === name)!;
  assertEquals(plan("soak-over-time").isSound, true);
  for (const status of ["failed", "interrupted"] as const) {
    report.scenarios.forEach((scenario) => scenario.status = status);
    assert(
      plan("soak-over-time").subtitle.startsWith(
        status === "failed" ? "SCENARIO FAILED" : "INTERRUPTED",
      ),
    );
    assertEquals(plan("soak-over-time").isSound, false);
    assertStringIncludes(plan("testing-pyramid").subtitle, "FAILED OR ARE NOT VALID");
  }
  report.scenarios.forEach((scenario) => {
    scenario.status = "passed";
    scenario.validity.valid = false;
  });
  assert(plan("soak-over-time").subtitle.startsWith("NOT VALID"));
  assertEquals(plan("testing-pyramid").isSound, false);
});

Deno.test("the percentile curve is that of the sorted times", () => {
  const times = Array.from({ length: 500 }, (_, index) => 1000 + index);
  using recorder = new DistributionRecorder();
  for (const ns of times.toReversed()) recorder.record(ns);
  const curve = percentileCurve(recorder.distribution("x", { better: "lower", seed: 1 })!);
  assertEquals(curve[0], [1, 1000]);
  assertEquals(curve.at(-1), [500, 1499]);
  for (const [x, ns] of curve.slice(1, -1)) {
    // By nearest rank, and to the three digits that the histogram keeps.
    const expected = times[Math.ceil((1 - 1 / x) * 500 - 1e-6) - 1]!;
    assert(Math.abs(ns / expected - 1) < 0.002, `${x}: ${ns} and ${expected}`);
  }
});

Deno.test("a histogram that cannot be read leaves the percentiles beside it", () => {
  const distribution = { ...drawn("x", { medianNs: 1e6 }), histogram: "no histogram" };
  const { min, p50, p99, max, count } = distribution;
  const curve = new Map(percentileCurve(distribution));
  assertEquals([curve.get(1), curve.get(2), curve.get(100), curve.get(count)], [
    min,
    p50,
    p99,
    max,
  ]);
});

Deno.test("under ten samples there is no distribution to look at", () => {
  const report = sampleReport("passed");
  const shown = (count: number) => {
    report.scenarios = [sampleScenario("few", {
      metrics: [{ ...drawn("latency", { medianNs: 1e6 }), count, rounds: [] }],
    })];
    return renderCharts(report).map(({ name }) => name);
  };
  assertEquals(shown(9), []);
  assertEquals(shown(10), ["few-percentiles"]);
});

Deno.test("silence is a run of intervals without a reply, between others", () => {
  const series = [0, 3, 0, 0, 5, 0, 1, 0].map((count, index) => ({
    atMs: index * 10,
    count,
    p50: null,
    p99: null,
    max: null,
  }));
  assertEquals(silentIntervals(series, 10), [[20e6, 40e6], [50e6, 60e6]]);
  assertEquals(silentIntervals(series.filter(({ count }) => count === 0), 10), []);
});

Deno.test("a stall is seen: in the title, and as a band where there was no reply", () => {
  const { title, svg } = chartOf(chartedReport(), "soak-over-time");
  assertEquals(title, "Soak: the slowest call took 500 ms, after 7.5 s; no reply for 500 ms");
  assertStringIncludes(svg, `fill="${COLORS.red}" fill-opacity="0.14"`);
});

Deno.test("a sweep shows its steps, and the fitted curve only where there is a fit", () => {
  const report = chartedReport();
  assertStringIncludes(chartOf(report, "scaling-sweep").svg, "Universal Scalability Law");
  const plain = chartOf(report, "pipelining-sweep");
  assert(!plain.svg.includes("Universal Scalability Law"));
  assertStringIncludes(plain.title, "most throughput with 64 calls in flight");
  for (const step of ["1", "2", "4", "8", "16", "32", "64"]) {
    assert(textsOf(plain.svg).includes(step));
  }
  const [scenario] = report.scenarios.filter(({ name }) => name === "pipelining");
  scenario!.metrics = scenario!.metrics.filter(({ at }) => at!.inFlight === 8);
  assert(
    !renderCharts(report).some(({ name }) => name === "pipelining-sweep"),
    "one step is no sweep",
  );
});

Deno.test("a sweep of sizes has sizes at its axis, in bytes a second", () => {
  const report = chartedReport();
  const scenario = report.scenarios.find(({ name }) => name === "pipelining")!;
  scenario.metrics = scenario.metrics.map((metric) => {
    const at = { payloadBytes: 1024 * metric.at!.inFlight! };
    return metric.kind === "scalar" ? { ...metric, unit: "bytes/s", at } : { ...metric, at };
  });
  const { title, svg } = chartOf(report, "pipelining-sweep");
  assertEquals(title, "Pipelining: most throughput with 64.0 KiB of payload: 80.3 KiB/s");
  assert(textsOf(svg).includes("Throughput (bytes/s)"));
  assert(textsOf(svg).includes("2.0 KiB"));
});

Deno.test("the saturation chart names the objective, what was found and the knee", () => {
  const report = chartedReport();
  const chart = chartOf(report, "saturation-rate-latency");
  assertEquals(
    chart.title,
    "Saturation: 10,700 msg/s is the highest rate that meets a P99 of 50.0 ms",
  );
  for (const text of ["objective 50.0 ms", "sustainable", "knee"]) {
    assert(textsOf(chart.svg).includes(text), text);
  }
  const [scenario] = report.scenarios.filter(({ name }) => name === "saturation");
  scenario!.metrics = scenario!.metrics.filter(({ kind }) => kind === "distribution");
  assertStringIncludes(chartOf(report, "saturation-rate-latency").title, "no rate met");
});

Deno.test("the waterfall has each layer with what it adds", () => {
  const report = chartedReport();
  const { title, svg, alt } = chartOf(report, "overhead-breakdown-waterfall");
  assertEquals(title, "Overhead Breakdown: of 53.1 µs a call, tcp adds most: 24.0 µs");
  for (const text of ["dispatch", "+900 ns", "+24.0 µs", "−700 ns"]) {
    assert(textsOf(svg).includes(text), text);
  }
  assertStringIncludes(alt, "codec 2.60 µs, tcp 24.0 µs");
});

Deno.test("in a comparison the better side is the right one, whichever way is better", () => {
  const report = chartedReport();
  const { alt } = chartOf(report, "comparison");
  // A latency that is 1.1714 times as long is 1/1.1714 times as good.
  assertStringIncludes(alt, `message-throughput latency p50 ${(1 / 1.1714).toFixed(3)}x`);
  assertStringIncludes(alt, "message-throughput throughput 1.151x");
});

Deno.test("where rows differ widely, twice and half as good are equally far from no change", () => {
  const report = chartedReport();
  assert(!textsOf(chartOf(report, "comparison").svg).some((text) => text.includes("log scale")));
  report.comparison!.rows[2]!.ratio = 4.2;
  const texts = textsOf(chartOf(report, "comparison").svg);
  assert(texts.some((text) => text.endsWith("better, log scale")));
  for (const tick of ["0.5x", "1x", "2x", "5x"]) assert(texts.includes(tick), tick);
});

Deno.test("a rate that was asked for is no result: rounds are told by their latency", () => {
  const report = chartedReport();
  assertStringIncludes(chartOf(report, "open-loop-rounds").title, "median latency");
  assertStringIncludes(
    chartOf(report, "message-throughput-rounds").title,
    "throughput 1,151 msg/s",
  );
});

/** Whether a scale holds the values, with rising marks between its ends. */
function holds({ min, max, ticks }: Scale, values: readonly number[]): boolean {
  return values.every((value) => value >= min * (1 - 1e-9) && value <= max * (1 + 1e-9)) &&
    ticks.length >= 2 && ticks.length <= 13 &&
    ticks.every((tick, index) => index === 0 || tick > ticks[index - 1]!) &&
    ticks[0]! >= min * (1 - 1e-9) && ticks.at(-1)! <= max * (1 + 1e-9);
}

Deno.test("a scale holds its values, with a few rising marks", () => {
  const positive = fc.array(fc.double({ min: 1, max: 1e13, noNaN: true }), { minLength: 1 });
  fc.assert(fc.property(positive, (values) => {
    assert(holds(linearScale(values), values), "linear");
    assert(holds(fittedScale(values), values), "fitted");
    const log = logScale(values);
    assert(holds(log, values) || log.ticks.length === 1, JSON.stringify(log));
  }));
});

Deno.test("names of others are cut and make file names", () => {
  assertEquals(cut("x".repeat(40)).length, 32);
  assertEquals(cut("a\r\nb\u0000\x1b[31mc"), "a bc");
  assertEquals(
    slug("Über-Läufe ../../etc"),
    "uber-laufe-etc".replace("uber", "u-ber").replace("laufe", "la-ufe"),
  );
  assertEquals(slug("…"), "unnamed");
});
