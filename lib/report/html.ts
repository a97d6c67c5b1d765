/**
 * report.html: the report as one file that needs no network. It is whole without its script, which sorts
 * the tables and shows the values of charts where a reader points.
 *
 * @module
 */

import type { Report } from "../schema.ts";
import type { Chart } from "./charts/chart.ts";
import { CHART_RULES } from "./charts/theme.ts";
import { comparisonMarkup } from "./html/comparison.ts";
import { layersMarkup } from "./html/layers.ts";
import { heavyMarkup } from "./html/heavy.ts";
import { type Markup, markup } from "./html/markup.ts";
import { methodMarkup } from "./html/method.ts";
import pageScript from "./html/page.js" with { type: "text" };
import { contentPolicy } from "./html/policy.ts";
import styleSheet from "./html/report.css" with { type: "text" };
import { chartsMarkup, overviewMarkup } from "./html/scenarios.ts";
import { accountingMarkup, checksMarkup, insightsMarkup, metricsMarkup } from "./html/sections.ts";
import { summaryMarkup } from "./html/summary.ts";
import { verdictWord } from "./marks.ts";
import { phaseOf } from "./phase.ts";

/**
 * The report as a page of HTML. Depends on nothing but the report and its charts: the same report gives the
 * same bytes. Its own Content-Security-Policy allows the style and the script inside it and nothing else.
 */
export function renderHtml(report: Report, charts: readonly Chart[] = []): string {
  // A browser hashes both with their line breaks as LF, whatever a checkout has made of them.
  const style = `${styleSheet}
@media screen and (prefers-color-scheme: dark) {
${CHART_RULES}
}
`.replaceAll("\r\n", "\n");
  const script = pageScript.replaceAll("\r\n", "\n");
  // Ours, not values to escape: the policy names the hashes of these very bytes.
  const head: Markup[] = [{ html: `<style>${style}</style>` }];
  const tail: Markup = { html: `<script type="module">${script}</script>` };
  const sections = SECTIONS.flatMap(({ id, name, content }) => {
    const body = content(report, charts);
    return body === "" || body.html.trim() === "" ? [] : [{ id, name, body }];
  });
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${contentPolicy({ style, script })}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${phaseOf(report).short}: ${verdictWord(report)}</title>
${head}
</head>
<body>
<a class="skip" href="#summary">Skip to the summary</a>
${navigation(sections)}
<main id="summary" tabindex="-1">
${summaryMarkup(report, { hasCharts: charts.length > 0 })}
${sections.map(({ id, body }) => section(id, body))}
</main>
${tail}
</body>
</html>
`.html;
}

interface Section {
  id: string;
  /** In the navigation. */
  name: string;
  /** Empty where there is nothing to say. */
  content: (report: Report, charts: readonly Chart[]) => Markup | "";
}

/** What follows the first screen. */
const SECTIONS: readonly Section[] = [
  { id: "insights", name: "Insights", content: insightsMarkup },
  { id: "scenarios", name: "Scenarios", content: overviewMarkup },
  { id: "comparison", name: "Comparison", content: comparisonMarkup },
  { id: "layers", name: "Layers", content: layersMarkup },
  { id: "heavy", name: "Heavy tools", content: heavyMarkup },
  { id: "charts", name: "Charts", content: chartsMarkup },
  { id: "metrics", name: "Metrics", content: metricsMarkup },
  { id: "checks", name: "Checks", content: checksMarkup },
  { id: "accounting", name: "Ledger and environment", content: accountingMarkup },
  { id: "method", name: "Method", content: methodMarkup },
];

function navigation(sections: readonly { id: string; name: string }[]): Markup {
  const links = [{ id: "summary", name: "Summary" }, ...sections]
    .map(({ id, name }) => markup`<li><a href="#${id}">${name}</a></li>`);
  return markup`<nav aria-label="Sections"><ul>
${links}
</ul></nav>`;
}

function section(id: string, body: Markup): Markup {
  return markup`<section id="${id}">
${body}
</section>`;
}
