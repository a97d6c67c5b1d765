/**
 * Expected outputs as files: what a test renders must equal tests/golden/NAME to the byte.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { renderCharts } from "../../lib/report/charts/mod.ts";
import { renderAnnotations } from "../../lib/report/github/annotations.ts";
import { renderStepSummary } from "../../lib/report/github/step_summary.ts";
import { renderHtml } from "../../lib/report/html.ts";
import { renderJunit } from "../../lib/report/junit.ts";
import { renderMarkdown } from "../../lib/report/markdown.ts";
import { renderInjection } from "../../lib/report/markdown/inject.ts";
import { renderTerminalSummary } from "../../lib/report/terminal.ts";
import { chartedReport } from "./sample_charts.ts";
import { SAMPLE_KINDS, type SampleKind, sampleReport } from "./sample_report.ts";

/** Where the expectations are. */
export const GOLDEN_FOLDER = new URL("../golden/", import.meta.url);

/**
 * Asserts that a text equals the golden file `name`. Where it does not and files may be written, the
 * text is left as `name.got` beside the expectation; otherwise the error shows the difference.
 *
 * @throws {Error} if they differ
 */
export function assertGolden(
  name: string,
  actual: string,
  { expected }: { expected: string },
): void {
  if (actual === expected) return;
  const folder = GOLDEN_FOLDER;
  if (Deno.permissions.querySync({ name: "write", path: folder }).state !== "granted") {
    assertEquals(actual, expected, `tests/golden/${name} differs`);
  }
  Deno.writeTextFileSync(new URL(`${name}.got`, folder), actual);
  throw new Error(
    `tests/golden/${name} differs from what was rendered: compare it with ${name}.got; ` +
      "if the new text is right, run `deno task golden`",
  );
}

/** One chart of each kind. */
const GOLDEN_CHARTS = [
  "testing-pyramid",
  "comparison",
  "message-throughput-rounds",
  "open-loop-percentiles",
  "soak-over-time",
  "scaling-sweep",
  "saturation-rate-latency",
  "overhead-breakdown-waterfall",
];

/** A report with every chart: some of them, the page that embeds them, and the part for a user's page. */
function chartGoldens(): { name: string; text: string }[] {
  const report = chartedReport();
  const charts = renderCharts(report);
  return [
    ...charts.filter(({ name }) => GOLDEN_CHARTS.includes(name))
      .map(({ name, svg }) => ({ name: `chart_${name}.svg`, text: svg })),
    { name: "report_charted.md", text: renderMarkdown(report, { charts, folder: "charts" }) },
    {
      name: "report_charted.txt",
      text: renderTerminalSummary(report, { color: false, width: 100 }),
    },
    {
      name: "report_charted_narrow.txt",
      text: renderTerminalSummary(report, { color: false, width: 40 }),
    },
    { name: "github_charted.md", text: renderStepSummary(report) },
    { name: "github_charted.txt", text: renderAnnotations(report) },
    {
      name: "page_charted.md",
      text: renderInjection(report, { charts, folder: "../reports/charts" }),
    },
  ];
}

/** The golden files of the reports: every sample as a page, and the other formats where they matter. */
export function reportGoldens(): { name: string; text: string }[] {
  const page = (kind: SampleKind) => ({
    name: `report_${kind}.md`,
    text: renderMarkdown(sampleReport(kind)),
  });
  return [
    ...SAMPLE_KINDS.map(page),
    ...(["passed", "compared", "layered", "sweeps", "phase3", "merged", "hostile"] as const).map((
      kind,
    ) => ({
      name: `report_${kind}.html`,
      text: renderHtml(sampleReport(kind)),
    })),
    ...(["failed", "skipped", "hostile"] as const).map((kind) => ({
      name: `report_${kind}.xml`,
      text: renderJunit(sampleReport(kind)),
    })),
    ...chartGoldens(),
    ...SAMPLE_KINDS.map((kind) => ({
      name: `report_${kind}.txt`,
      text: renderTerminalSummary(sampleReport(kind), { color: false, width: 80 }),
    })),
  ];
}
