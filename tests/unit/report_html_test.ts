import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Distribution, Report, Scalar } from "../../lib/schema.ts";
import { renderCharts } from "../../lib/report/charts/mod.ts";
import { chartSignature } from "../../lib/report/charts/svg.ts";
import { CHART_WIDTH } from "../../lib/report/charts/theme.ts";
import { markup, table } from "../../lib/report/html/markup.ts";
import { renderHtml } from "../../lib/report/html.ts";
import { keyNumbers } from "../../lib/report/key_numbers.ts";
import { chartedReport } from "../support/sample_charts.ts";
import { SAMPLE_KINDS, sampleReport } from "../support/sample_report.ts";

/** Every tag of a page, without its attributes. */
function tags(page: string): string[] {
  return page.match(/<[a-z/!][a-z0-9]*/gi) ?? [];
}

/** A page with its charts. */
function chartedPage(report: Report): string {
  return renderHtml(report, renderCharts(report));
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return btoa(String.fromCharCode(...new Uint8Array(digest)));
}

Deno.test("the policy allows this style, this script and nothing else", async () => {
  const page = chartedPage(chartedReport());
  const style = page.match(/<style>([\s\S]*)<\/style>/)?.[1] ?? "";
  const script = page.match(/<script type="module">([\s\S]*)<\/script>/)?.[1] ?? "";
  const policy = page.match(/http-equiv="Content-Security-Policy" content="([^"]*)"/)?.[1];
  assert(style.length > 1000 && script.length > 1000);
  assertEquals(
    policy?.replaceAll("&#39;", "'"),
    `default-src 'none'; style-src 'sha256-${await sha256(style)}'; ` +
      `script-src 'sha256-${await sha256(script)}'; base-uri 'none'; form-action 'none'`,
  );
});

Deno.test("the page loads nothing, has one script and one style, and links within itself", () => {
  for (const report of [...SAMPLE_KINDS.map(sampleReport), chartedReport()]) {
    const page = chartedPage(report);
    const all = tags(page);
    for (const tag of ["<img", "<link", "<iframe", "<form", "<object", "<base", "<input"]) {
      assert(!all.includes(tag), tag);
    }
    for (const tag of ["<script", "<style"]) {
      assertEquals(all.filter((one) => one === tag).length, 1);
    }
    assert(!/<[^>]* style=/.test(page));
    const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    assertEquals(new Set(ids).size, ids.length);
    const links = [...page.matchAll(/ href="([^"]*)"/g)].map(([, to]) => to!);
    assert(links.length > 5);
    for (const to of links) assert(to.startsWith("#") && ids.includes(to.slice(1)), to);
  }
});

Deno.test("the same report gives the same page", () => {
  assertEquals(chartedPage(chartedReport()), chartedPage(structuredClone(chartedReport())));
});

Deno.test("every chart is within, with its numbers and their places in the picture", () => {
  const report = chartedReport();
  const page = chartedPage(report);
  const charts = renderCharts(report);
  assert(charts.length > 15);
  assertEquals(page.match(/<figure /g)?.length, charts.length);
  for (const { name, svg, table } of charts) {
    assertStringIncludes(page, chartSignature(name));
    const height = Number(/ height="(\d+)"/.exec(svg)![1]);
    const cells = table.rows.flatMap(({ cells }) => cells)
      .filter((cell) => cell !== null && typeof cell !== "string");
    assert(cells.length > 0, name);
    for (const { at: [x, y], text } of cells) {
      assert(x >= 0 && x <= CHART_WIDTH && y >= 0 && y <= height, `${name}: ${text} at ${x}, ${y}`);
      assertStringIncludes(page, ` data-x="${x}" data-y="${y}">${text}</td>`);
    }
    for (const { cells } of table.rows) assertEquals(cells.length, table.columns.length);
  }
});

Deno.test("the numbers of a chart are those of the report", () => {
  const report = chartedReport();
  const charts = renderCharts(report);
  const values = (name: string, column: number) =>
    charts.find((chart) => chart.name === name)!.table.rows
      .map(({ cells }) => (cells[column] as { value: number } | null)?.value ?? null);
  const metric = (scenario: string, name: string) =>
    report.scenarios.find((one) => one.name === scenario)!.metrics
      .find((one) => one.name === name)!;
  const throughput = metric("message-throughput", "throughput") as Scalar;
  assertEquals(values("message-throughput-rounds", 0), throughput.rounds);
  const soak = metric("soak", "latency") as Distribution;
  assertEquals(values("soak-over-time", 0), soak.series.map(({ p50 }) => p50));
  const { min, p50, p75, p90, p95, p99, max } = soak;
  assertEquals(values("soak-percentiles", 0), [min, p50, p75, p90, p95, p99, max]);
  const sweep = [1, 2, 4, 8, 16, 32, 64, 128].map((n) => metric("scaling", `throughput@${n}`));
  assertEquals(values("scaling-sweep", 0), sweep.map((step) => (step as Scalar).value));
  const { rows } = report.comparison!;
  const gains = rows.map(({ ratio, better }) => better === "higher" ? ratio : 1 / ratio);
  assertEquals(values("comparison", 0), gains);
});

Deno.test("every metric is in one table: the steps of sweeps apart, folded up", () => {
  const report = chartedReport();
  const page = chartedPage(report).split("<h2>Metrics</h2>")[1]!;
  const [others, steps] = page.split("<details><summary>Each step of the sweeps");
  for (const { name, metrics } of report.scenarios) {
    for (const metric of metrics) {
      const label = metric.at === undefined ? `${metric.name}</td>` : `${metric.name} (`;
      const cell = `<tr><td>${name}</td><td>${label}`;
      assertEquals(others!.includes(cell), metric.at === undefined, cell);
      assertEquals(steps!.includes(cell), metric.at !== undefined, cell);
    }
  }
});

Deno.test("columns sort by number, by name, or not at all", () => {
  const page = markup`${
    table("x", ["Name", "Count", "Kind", "Range", "Both"], [
      ["b2", { text: "1,000", value: 1000 }, "yes", "1 to 2", { text: "9", value: 9, unit: "ns" }],
      ["b10", "–", "no", "–", "–"],
    ])
  }`.html;
  const headings = [...page.matchAll(/<th scope="col"([^>]*)>/g)].map(([, rest]) => rest);
  assertEquals(headings, [
    ' data-order="text"',
    ' data-order="number"',
    ' data-order="text"',
    "",
    ' data-order="number"',
  ]);
  assertStringIncludes(page, '<td data-value="1000">1,000</td>');
  assertStringIncludes(page, '<td data-value="9" data-unit="ns">9</td>');
  assertStringIncludes(page, '<td class="number">–</td><td>no</td><td>–</td>');
});

Deno.test("what has no room on the first screen is folded up, not left out", () => {
  const report = sampleReport("failed");
  const [scenario] = report.scenarios;
  scenario.validity.warnings = Array.from({ length: 9 }, (_, index) => `warning ${index}`);
  const page = renderHtml(report);
  for (const warning of scenario.validity.warnings) {
    assertEquals(page.split(`: ${warning}</li>`).length, 2, warning);
  }
  assertStringIncludes(page, "more</summary>");
});

Deno.test("the first screen has the verdict, the five numbers and what is wrong", () => {
  const report = sampleReport("failed");
  const first = renderHtml(report).split("<h2>Insights</h2>")[0]!;
  assertStringIncludes(first, "❌ FAILED: 5 of 6 scenarios passed, 1 failed");
  assertStringIncludes(first, "an external server (<code>ws://bench.example:8079/</code>)");
  for (const { label, value } of keyNumbers(report)) {
    assertStringIncludes(first, `<span class="label">${label}</span>\n<strong>${value}</strong>`);
  }
  assertStringIncludes(first, "98 of 100 messages were not served");
  assertStringIncludes(first, "limiter began at message 51");
  assertStringIncludes(first, "Can it be trusted?</strong> ⚠️ Do not quote the numbers of");
  assertStringIncludes(first, "<h2>What to do next</h2>\n<ol>\n<li>Raise the server&#39;s limits");
});

Deno.test("every check is there with what was expected and observed", () => {
  const page = renderHtml(sampleReport("failed"));
  assertStringIncludes(
    page,
    '<tr class="failed"><td>❌</td><td>every message was served</td><td>100 of 100</td>' +
      "<td>2 of 100</td></tr>",
  );
  const report = sampleReport("failed");
  const checks = report.preflight.length +
    report.scenarios.reduce((sum, { checks }) => sum + checks.length, 0);
  assertEquals(page.match(/<tr class="(?:passed|failed)">/g)?.length, checks);
});

Deno.test("all tables have as many cells in a row as headings", () => {
  for (const kind of SAMPLE_KINDS) {
    const tables = renderHtml(sampleReport(kind)).match(/<table>[\s\S]*?<\/table>/g) ?? [];
    assert(tables.length >= 1);
    for (const table of tables) {
      const [head, body] = table.split("<tbody>");
      const headings = head.match(/<th /g)?.length;
      for (const row of body.match(/<tr[\s\S]*?<\/tr>/g) ?? []) {
        assertEquals(row.match(/<td[ >]/g)?.length, headings, row);
      }
    }
  }
});

Deno.test("markup`` escapes what is put in, except what it made itself", () => {
  const inner = markup`<b>${"<i>"}</b>`;
  assertEquals(
    markup`<p title="${'"'}">${inner} ${[inner, inner]} ${3}</p>`.html,
    '<p title="&quot;"><b>&lt;i&gt;</b> <b>&lt;i&gt;</b>\n<b>&lt;i&gt;</b> 3</p>',
  );
});

Deno.test("hostile text adds no tag", () => {
  const hostile = new Set(tags(renderHtml(sampleReport("hostile"))));
  const harmless = new Set(
    (["failed", "skipped"] as const).flatMap((kind) => tags(renderHtml(sampleReport(kind)))),
  );
  assertEquals([...hostile].filter((tag) => !harmless.has(tag)), []);
});

Deno.test("only a page with charts says how to read their values", () => {
  const hint = "Point at a chart for its values";
  assertStringIncludes(chartedPage(chartedReport()), hint);
  assert(!renderHtml(chartedReport()).includes(hint));
});
