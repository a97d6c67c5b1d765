import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import type { Distribution, Report, ScenarioReport } from "../../lib/schema.ts";
import type { Figure } from "../../lib/report/document.ts";
import { fittedScale, linearScale, logScale, type Scale } from "../../lib/report/charts/axes.ts";
import { silentIntervals } from "../../lib/stats/silences.ts";
import { drawFigures, figurePlans, figureSignature } from "../../lib/report/charts/mod.ts";
import { percentileCurve } from "../../lib/stats/percentile_curve.ts";
import { cut, type FigurePlan } from "../../lib/report/charts/plan.ts";
import { slug } from "../../lib/report/escape.ts";
import { CHART_STYLE, CHART_WIDTH, COLORS } from "../../lib/report/charts/theme.ts";
import { repeats } from "../support/repeats.ts";
import { chartedReport } from "../support/sample_charts.ts";
import {
  HOSTILE_TEXT,
  SAMPLE_KINDS,
  type SampleKind,
  sampleReport,
} from "../support/sample_report.ts";
import { metricsOf, sampleScenario, times } from "../support/sample_scenario.ts";

/** Every sample; the short form has those that differ most. */
function allReports(): Report[] {
  const kinds = repeats<readonly SampleKind[]>(["failed", "ab", "hostile"], SAMPLE_KINDS);
  return [...kinds.map(sampleReport), chartedReport()];
}

let drawing: Promise<Figure[][]> | null = null;

/** The figures of each report, drawn once. */
function allFigures() {
  return drawing ??= Promise.all(
    allReports().map(async (report) => [...(await drawFigures(report)).values()]),
  );
}

function planOf(key: string, report = chartedReport()): FigurePlan {
  const plan = figurePlans(report).get(key);
  assert(plan !== undefined, key);
  return plan;
}

function scenarioOf(report: Report, name: string): ScenarioReport {
  return report.scenarios.find((one) => one.name === name)!;
}

/** The figure of a scenario with these parts. */
function planFor(parts: Partial<ScenarioReport>): FigurePlan | undefined {
  const scenarios = [sampleScenario("one", parts)];
  return figurePlans({ ...sampleReport("preflight_failure"), scenarios }).get("one");
}

/** The texts of a figure as a reader sees them. */
function textsOf(svg: string): string[] {
  return [...svg.matchAll(/<text [^>]*>([^<]*)<\/text>/g)].map(([, text]) =>
    text!.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"')
      .replaceAll("&#39;", "'").replaceAll("&amp;", "&")
  );
}

/** The texts of one figure, without drawing others. */
async function drawn(key: string, report = chartedReport()) {
  const scenarios = report.scenarios.filter(({ name }) => name === key);
  const comparison = key === "comparison" ? report.comparison : undefined;
  return textsOf((await drawFigures({ ...report, scenarios, comparison })).get(key)!.svg);
}

/** Data of the series with this name. */
function dataOf({ panels }: FigurePlan, name: string) {
  return panels.flatMap(({ series }) => series).find((one) => one.name === name)!
    .data as (number | string)[][];
}

Deno.test("the same report is drawn as the same bytes, whatever was drawn before", async () => {
  const report = { ...chartedReport(), scenarios: chartedReport().scenarios.slice(-4) };
  const first = await drawFigures(report);
  await drawFigures(sampleReport("hostile"));
  assertEquals(await drawFigures(structuredClone(report)), first);
});

Deno.test("a scenario has at most one figure, which depends on its metrics, not on its name", () => {
  const report = chartedReport();
  const plans = figurePlans(report);
  assertEquals([...plans.keys()], [
    "overview",
    "overRun",
    "comparison",
    ...report.scenarios.map(({ name }) => name),
  ]);
  for (const scenario of report.scenarios) {
    const before = plans.get(scenario.name)!;
    const renamed = planFor({ metrics: scenario.metrics, parameters: scenario.parameters })!;
    assertEquals(renamed.panels.length, before.panels.length, scenario.name);
    assertEquals(renamed.title, before.title);
  }
});

Deno.test("every figure is small, sized for a page and has a unique file name", async () => {
  for (const figures of await allFigures()) {
    for (const { id, svg, title, alt } of figures) {
      assert(new TextEncoder().encode(svg).length < 60_000, id);
      assert(/^[a-z0-9]+(-[a-z0-9]+)*$/.test(id), id);
      assert(svg.startsWith(figureSignature(id)), id);
      assertStringIncludes(svg, ` width="${CHART_WIDTH}" `);
      assertStringIncludes(svg, `<style>${CHART_STYLE}</style>`);
      assert(
        title !== "" && alt.startsWith(title) && !/undefined|NaN|[\r\n]/.test(title + alt),
        alt,
      );
    }
    assertEquals(new Set(figures.map(({ id }) => id)).size, figures.length);
  }
});

Deno.test("the longest series and the largest comparison stay under 60 kB", async () => {
  const report = chartedReport();
  const [latency] = scenarioOf(report, "soak").metrics as Distribution[];
  latency!.series = Array.from({ length: 600 }, (_, index) => (
    {
      atMs: index * 1000.25,
      count: 1000,
      p50: 8e5 + 7 * index,
      p99: 2.8e6 + index,
      max: 4e7 + index,
    }
  ));
  const { rows } = report.comparison!;
  report.comparison!.rows = Array.from({ length: 60 }, (_, index) => rows[index % rows.length]!);
  const figures = await drawFigures(report);
  for (const { id, svg } of figures.values()) assert(svg.length < 60_000, id);
  assert((await drawn("comparison", report)).some((text) => text.includes("36 more in the table")));
});

Deno.test("ids are unique over all figures of a page, and references to them resolve", async () => {
  const page = [...(await drawFigures(chartedReport())).values()].map(({ svg }) => svg).join("");
  const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id!);
  assertEquals(new Set(ids).size, ids.length);
  const targets = [...page.matchAll(/url\(#([^)]*)\)/g)].map(([, id]) => id!);
  assert(targets.length > 5);
  for (const target of targets) assert(ids.includes(target), target);
});

Deno.test("a figure is well-formed, without scripts, inline styles or external resources", async () => {
  const allowed = ["svg", "style", "rect", "path", "polygon", "text", "g", "defs", "clipPath"];
  for (const { id, svg } of (await allFigures()).flat()) {
    const open: string[] = [];
    const tags = /<(\/?)([a-zA-Z]+)(?:[^<>"]|"[^"<]*")*?(\/?)>/g;
    for (const [, slash, name, empty] of svg.matchAll(tags)) {
      assert(allowed.includes(name!), name);
      if (slash === "/") assertEquals(open.pop(), name);
      else if (empty === "") open.push(name!);
    }
    assertEquals(open, []);
    const plain = svg.replace('xmlns="http://www.w3.org/2000/svg"', "");
    for (const [, name, value] of plain.matchAll(/ ([a-zA-Z:-]+)="([^"]*)"/g)) {
      assert(!/^(on|style$|href$|xlink|src$)/.test(name!), name);
      if (name !== "aria-label") assert(!/https?:|data:|javascript:/.test(value!), value);
    }
    const forbidden =
      // deno-lint-ignore no-control-regex
      /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|&(?!(?:amp|lt|gt|quot|#39);)/;
    assert(!forbidden.test(svg), id);
  }
});

Deno.test("each colour has a variant for dark screens, which does not apply to print", async () => {
  const known = new Set<string>(Object.values(COLORS));
  assertEquals(known.size, Object.keys(COLORS).length);
  for (const { id, svg } of (await allFigures()).flat()) {
    const shown = svg.replace(/<style>.*?<\/style>/, "").replace(/<defs[\s\S]*<\/defs>/, "");
    for (const [, color] of shown.matchAll(/ (?:fill|stroke)="([^"]*)"/g)) {
      assert(color === "none" || known.has(color!), `${id}: ${color}`);
    }
  }
  for (const [name, color] of Object.entries(COLORS)) {
    assertStringIncludes(CHART_STYLE, `[fill="${color}"]{fill:var(--chart-${name},${color})}`);
    assertStringIncludes(CHART_STYLE.split("@media screen and ")[1]!, `--chart-${name}:#`);
  }
});

Deno.test("a legend wraps into as many rows as it needs, above everything else", async () => {
  const report = chartedReport();
  const tools = scenarioOf(report, "heavy-tools");
  const names = ["waiting", "concurrent latency of all", "served from the cache", "first progress"];
  tools.metrics.push(
    ...names.flatMap((name) => times(name.replaceAll(" ", "_"), 300, 60, { at: { tool: "chat" } })),
  );
  const svg = (await drawFigures(report)).get("heavy-tools")!.svg;
  const pattern = /<text [^>]*transform="translate\(([\d.]+) ([\d.]+)\)"[^>]*>([^<]*)/g;
  const places = [...svg.matchAll(pattern)]
    .map(([, x, y, text]) => ({ x: Number(x), y: Number(y), text: text! }));
  const caption = places.find(({ text }) => text.startsWith("Median, and a line"))!;
  const legend = places.filter(({ y }) => y < caption.y);
  assert(new Set(legend.map(({ y }) => y)).size > 1);
  assertEquals(legend.length, 6, "one entry per colour");
  for (const { text, x } of legend) assert(x + 5 * text.length < CHART_WIDTH, text);
});

Deno.test("a scenario without measurements has no figure", async () => {
  assertEquals(await drawFigures(sampleReport("preflight_failure")), new Map());
  assertEquals(
    [...figurePlans(sampleReport("interrupted")).keys()].at(-1),
    "connection-establishment",
  );
  assertEquals(planFor({ metrics: [] }), undefined);
  assertEquals(planFor({ metrics: metricsOf("latency 1 ms n=9") }), undefined);
  assert(planFor({ metrics: metricsOf("latency 1 ms n=10") }) !== undefined);
  assertEquals(planFor({ metrics: metricsOf("throughput 8 msg/s @inFlight=8") }), undefined);
});

Deno.test("the percentile curve comes from the histogram, or from the stored percentiles", () => {
  const distribution = times("x", 1, 2000);
  const curve = new Map(percentileCurve(distribution));
  assertEquals([curve.get(1), curve.get(2000)], [distribution.min, distribution.max]);
  assert(Math.abs(curve.get(100)! / distribution.p99! - 1) < 0.03);
  const stored = new Map(percentileCurve({ ...distribution, histogram: "no histogram" }));
  const { p50, p99 } = distribution;
  assertEquals([stored.get(2), stored.get(100)], [p50, p99!]);
});

Deno.test("silence is a run of intervals without replies, between intervals with some", () => {
  const series = [0, 3, 0, 0, 5, 0, 1, 0].map((count, index) => (
    { atMs: index * 10, count, p50: null, p99: null, max: null }
  ));
  assertEquals(silentIntervals(series, 10), [[20e6, 40e6], [50e6, 60e6]]);
  assertEquals(silentIntervals(series.filter(({ count }) => count === 0), 10), []);
  assertEquals(
    planOf("soak").title,
    "The slowest call took 500 ms, after 7.5 s; no reply for 500 ms",
  );
});

Deno.test("a sweep shows its steps in ascending order, with separate panels for times and rates", async () => {
  const plan = planOf("saturation");
  assertEquals(plan.title, "Sustainable rate: 10,700 calls/s, met in 83 % of trials");
  const rates = dataOf(plan, "median").map(([rate]) => Number(rate));
  assertEquals(rates, rates.toSorted((a, b) => a - b));
  const texts = await drawn("saturation");
  assert(texts.includes("objective 50 ms") && texts.includes("sustainable"), `${texts}`);
  assert(texts.includes("offered rate") && texts.includes("p99, under 1,000 samples"), `${texts}`);
  const pipelining = planOf("pipelining");
  assertEquals(pipelining.panels.map(({ caption }) => caption), ["Throughput, msg/s", "Latency"]);
  assertEquals(pipelining.title, "Peak throughput: 6,080 msg/s at 16 in flight");
  for (const step of ["1", "4", "16"]) assert((await drawn("pipelining")).includes(step));
});

Deno.test("throughput over several decades has a logarithmic axis, other units are not drawn", () => {
  const { panels } = planOf("payload-size");
  assertEquals(panels.map(({ y }) => y.isLog), [true, true]);
  assertEquals(panels[0]!.x.ticks.map(panels[0]!.x.format), ["64 B", "4 KiB", "1 MiB"]);
  assertEquals(panels[0]!.series.map(({ name }) => name), [
    ...["throughput", "a server that does nothing", ""],
  ]);
});

Deno.test("times by name have a row for each tool, and the largest factor in the title", () => {
  const { panels } = planOf("heavy-tools");
  const { y } = panels[0]!;
  assertEquals(y.ticks.map(y.format), ["latency alone", "chat", "analyze", "debug"]);
  const report = chartedReport();
  assertEquals(planOf("head-of-line", report).title, "Interference: 1,020x (same connection)");
  scenarioOf(report, "head-of-line").metrics.reverse();
  assertEquals(planOf("head-of-line", report).title, "Interference: 1,020x (same connection)");
  assertEquals(
    planOf("reconnect-storm").title,
    "Medians from 300 ms (Drop immediate) to 1.20 s (Restart backoff)",
  );
});

Deno.test("no figure has bars on a logarithmic axis", () => {
  for (const report of allReports()) {
    for (const { panels } of figurePlans(report).values()) {
      for (const { x, series } of panels) {
        const widest = series.map((one) => one.type === "line" ? one.lineStyle?.width ?? 0 : 0);
        assert(!x.isLog || Math.max(...widest) < 4);
        assert(series.every(({ type }) => type === "line" || type === "scatter"));
      }
    }
  }
});

Deno.test("in a comparison, better is always to the right", () => {
  const report = chartedReport();
  const { alt, title, panels } = planOf("comparison", report);
  // A latency 1.171 times as long is 1/1.171 times as good.
  assertStringIncludes(alt, "message-throughput latency p50 0.854x");
  assertStringIncludes(alt, "message-throughput throughput 1.15x");
  assertEquals(title, "New against old: 1 slower, 1 undecided", "only gating rows count");
  const [row] = report.comparison!.rows;
  report.comparison!.rows.push({ ...row!, ratio: null, ci: null, new: null, verdict: "undecided" });
  const more = planOf("comparison", report);
  const { length } = panels[0]!.y.ticks;
  assertEquals(more.panels[0]!.y.ticks.length, length, "a vanished metric has no row");
  report.comparison!.rows[2]!.ratio = 4.2;
  assertEquals(planOf("comparison", report).panels[0]!.x.isLog, true);
});

Deno.test("two servers: each epoch has a dot under its row, on the side of the better server", () => {
  const plan = planOf("comparison", sampleReport("ab"));
  assertEquals(plan.title, "B against A: 2 slower, 1 same, 1 undecided");
  const epochs = dataOf(plan, "each epoch");
  assertEquals(epochs.length, 40);
  assert(epochs.slice(0, 20).every(([gain]) => Number(gain) < 1));
  assert(plan.panels[0]!.x.name!.includes("as good as A"));
});

Deno.test("a rate that the user capped is not drawn", () => {
  const report = sampleReport("thorough");
  for (const { parameters } of report.scenarios) parameters.maxRatePerSecond = 10;
  for (const [key, { panels, title }] of figurePlans(report)) {
    assert(!/throughput/i.test(title + panels.map(({ caption }) => caption)), key);
  }
});

Deno.test("property: a scale covers its values, with a few ascending ticks", () => {
  const holds = ({ min, max, ticks }: Scale, values: readonly number[]) =>
    values.every((value) => value >= min * (1 - 1e-9) && value <= max * (1 + 1e-9)) &&
    ticks.length >= 1 && ticks.length <= 13 &&
    ticks.every((tick, index) => index === 0 || tick > ticks[index - 1]!) &&
    ticks[0]! >= min * (1 - 1e-9) && ticks.at(-1)! <= max * (1 + 1e-9);
  const positive = fc.array(fc.double({ min: 1, max: 1e13, noNaN: true }), { minLength: 1 });
  fc.assert(fc.property(positive, (values) => {
    for (const scale of [linearScale, fittedScale, logScale]) {
      assert(holds(scale(values), values), `${scale.name} ${JSON.stringify(scale(values))}`);
    }
  }));
});

Deno.test("property: any values of any metric can be drawn", async () => {
  const value = fc.oneof(
    fc.double({ min: 1e-6, max: 1e15, noNaN: true }),
    fc.constantFrom(0, -1, -5e9, 1e-6, 1e15),
  );
  const sequence = fc.array(value, { minLength: 2, maxLength: 5 });
  const keys = fc.constantFrom("inFlight", "ratePerSecond", "place", HOSTILE_TEXT);
  const charted = { ...chartedReport(), comparison: undefined };
  await fc.assert(
    fc.asyncProperty(sequence, keys, async (values, key) => {
      const metrics = values.flatMap((number, nth) =>
        metricsOf(`throughput 1 msg/s @k=1\nlatency 1 ms n=20 @k=1`).map((metric) => ({
          ...metric,
          ...metric.kind === "scalar"
            ? { value: number }
            : { p50: number, max: number, min: number },
          at: { [key]: key === "place" ? `${nth}` : number },
        }))
      );
      const report = { ...charted, scenarios: [sampleScenario("one", { metrics })] };
      for (const { svg } of (await drawFigures(report)).values()) {
        assert(!/NaN|undefined/.test(svg));
      }
    }),
    { numRuns: repeats(3, 40) },
  );
});

Deno.test("scenarios whose names give the same file name get a number", () => {
  const metrics = metricsOf("latency 1 ms");
  const scenarios = ["a-b", "a b", "A/B"].map((name) => sampleScenario(name, { metrics }));
  const plans = figurePlans({ ...sampleReport("passed"), scenarios });
  assertEquals(scenarios.map(({ name }) => plans.get(name)!.id), ["a-b", "a-b-2", "a-b-3"]);
});

Deno.test("foreign names are cut, and become valid file names", () => {
  assertEquals(cut("x".repeat(40)).length, 28);
  assertEquals(cut("a\r\nb\u0000\x1b[31mc"), "a bc");
  assertEquals(slug("Über-Läufe ../../etc"), "u-ber-la-ufe-etc");
  assertEquals(slug("…"), "unnamed");
});

Deno.test("a session search shows latency by sessions, the objective and the capacity found", () => {
  const metrics = [5, 40, 20].flatMap((sessions) =>
    metricsOf([
      `latency ${sessions} ms n=2000 @sessions=${sessions}`,
      `establish ${sessions} ms @sessions=${sessions}`,
      `throughput ${sessions * 10} msg/s @sessions=${sessions}`,
    ].join("\n"))
  );
  const found = metricsOf("capacity 20 sessions *\nmetShare 1 share");
  const plan = planFor({ parameters: { sloMs: 30 }, metrics: [...metrics, ...found] })!;
  assertEquals(plan.title, "Capacity: 20 sessions, met in 100 % of trials");
  assertEquals(plan.panels.at(-1)!.x.name, "Concurrent sessions");
  assertEquals(dataOf(plan, "p99").map(([sessions]) => sessions), [5, 20, 40]);
  const missed = planFor({ parameters: { sloMs: 30 }, metrics })!;
  assertEquals(missed.title, "No number of sessions met the objective");
});

Deno.test("a course names p99 only if its line is drawn", () => {
  const soak = structuredClone(scenarioOf(chartedReport(), "soak"));
  const course = () => planFor({ ...soak, name: "one" })!;
  const drawn = () => course().panels[0]!.series.map(({ name }) => name).includes("p99");
  assertEquals([course().alt.includes("p99"), drawn()], [true, true]);
  for (const metric of soak.metrics) {
    if (metric.kind === "distribution") { for (const point of metric.series) point.p99 = null; }
  }
  assertEquals([course().alt.includes("p99"), drawn()], [false, false]);
});

Deno.test("pauses between epochs are not drawn as silence, nor a partial interval as a drop", () => {
  const soak = scenarioOf(chartedReport(), "soak");
  const [rates] = planFor({ ...soak, name: "one" })!.panels[1]!.series;
  assertEquals((rates!.data as (number | string)[][]).at(-1)![1], "-");
  const epochs = [0, 9e5].map((startMs) => ({ startMs, endMs: startMs + 500 }));
  const plan = planFor({ ...soak, name: "one", measured: { plannedStartMs: null, epochs } })!;
  assertEquals([plan.panels.length, plan.title], [1, "Percentiles of latency"]);
});

Deno.test("payload sizes have a logarithmic axis, without calls that have no payload", () => {
  const report = chartedReport();
  const sizes = scenarioOf(report, "payload-size");
  const bare = sizes.metrics.filter(({ at }) => at?.payloadBytes === 64);
  assert(bare.length > 1);
  const zero = bare.map((metric) => ({ ...metric, at: { payloadBytes: 0 } }));
  const { panels } = planFor({ ...sizes, name: "one", metrics: [...zero, ...sizes.metrics] })!;
  for (const { x } of panels) assertEquals([x.isLog, x.min], [true, 64]);
});

Deno.test("a case that scenarios share is one curve in the overview", () => {
  const [one, two] = chartedReport().scenarios.filter(({ metrics }) =>
    metrics.some(({ kind, role }) => kind === "distribution" && role !== "detail")
  );
  const twin = { ...one!, name: "twin", title: "Twin" };
  const report = { ...chartedReport(), scenarios: [one!, two!, twin] };
  assert(!planOf("overview", report).alt.includes("Twin"));
});

Deno.test("the chart of the run has latency, throughput and unanswered calls by epoch", () => {
  const { panels, alt } = planOf("overRun");
  const [latency, rate] = panels.map(({ series }) => series.map(({ name }) => name));
  assert(rate!.length > 1 && latency!.length === rate!.length + 1, String(latency));
  assertEquals(latency!.at(-1), "unanswered calls");
  assertStringIncludes(alt, "Unanswered calls in 1 epoch");
  const { data } = panels[0]!.series.at(-1)! as { data: [number, number][] };
  const { measured, metrics } = scenarioOf(chartedReport(), "message-throughput");
  const { startMs, endMs } = measured!.epochs[3]!;
  const startedMs = Date.parse(chartedReport().startedAt);
  const { epochs } = metrics[0] as Distribution;
  assertEquals(data, [[((startMs + endMs) / 2 - startedMs) * 1e6, epochs[3]!.p50!]]);
  const quiet = { ...chartedReport(), scenarios: [chartedReport().scenarios[2]!] };
  assertStringIncludes(planOf("overRun", quiet).alt, "Every call was answered");
  assertEquals(figurePlans(sampleReport("passed")).has("overRun"), false);
});
