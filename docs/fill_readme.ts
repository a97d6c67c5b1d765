/**
 * Fills the top of README.md from docs/sample/report.json: one chart and the summary. Run by
 * `deno task docs:sample`, after the measurement.
 *
 * @module
 */

import { renderCharts } from "../lib/report/charts/mod.ts";
import { sampleText } from "../lib/report/markdown/sample.ts";
import { parseReport } from "../lib/report/json.ts";
import { fillPage } from "../lib/report/page.ts";

const README = new URL("../README.md", import.meta.url);
const SAMPLE = new URL("sample/report.json", import.meta.url);
const MARKS = { start: "<!-- sample:start -->", end: "<!-- sample:end -->" };

const report = parseReport(await Deno.readTextFile(SAMPLE), "docs/sample/report.json");
const figures = { charts: renderCharts(report), folder: "docs/sample/charts" };
const page = fillPage(await Deno.readFile(README), sampleText(report, figures), MARKS);
await Deno.writeFile(README, page);
