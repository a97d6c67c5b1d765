/**
 * report.html: the report as one file that needs no network and runs no script.
 *
 * @module
 */

import { createHash } from "node:crypto";
import type { Report } from "../contract.ts";
import { comparisonMarkup } from "./html/comparison.ts";
import { layersMarkup } from "./html/layers.ts";
import { heavyMarkup } from "./html/heavy.ts";
import { type Markup, markup } from "./html/markup.ts";
import styleSheet from "./html/report.css" with { type: "text" };
import { accountingMarkup, checksMarkup, insightsMarkup, metricsMarkup } from "./html/sections.ts";
import { summaryMarkup } from "./html/summary.ts";
import { verdictWord } from "./marks.ts";
import { phaseOf } from "./phase.ts";

/**
 * The report as a page of HTML. Depends on nothing but the report: the same report gives the same
 * bytes. Its own Content-Security-Policy allows the style inside it and nothing else.
 */
export function renderHtml(report: Report): string {
  // A browser hashes the style with its line breaks as LF, whatever a checkout has made of them.
  const css = styleSheet.replaceAll("\r\n", "\n");
  // Ours, not a value to escape: the policy names the hash of these very bytes.
  const style: Markup = { html: `<style>${css}</style>` };
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${contentPolicy(css)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${phaseOf(report).short}: ${verdictWord(report)}</title>
${style}
</head>
<body>
<main>
${summaryMarkup(report)}
${insightsMarkup(report)}${heavyMarkup(report)}
${layersMarkup(report)}${metricsMarkup(report)}
${checksMarkup(report)}
${comparisonMarkup(report)}
${accountingMarkup(report)}
</main>
</body>
</html>
`.html;
}

/** A policy that allows one inline style, by its hash. */
function contentPolicy(style: string): string {
  const hash = createHash("sha256").update(style).digest("base64");
  return `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
}
