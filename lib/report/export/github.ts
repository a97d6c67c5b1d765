import { CHANGES, type Comparison, type Report } from "../../schema.ts";
import { escapeCommandProperty, escapeCommandText } from "../escape.ts";
import { factWords, rowLabel } from "../quantities.ts";
import { renderMarkdown } from "../render/markdown.ts";
import { refusalWords } from "../sections/attention.ts";
import { buildDocument } from "../sections/mod.ts";
import { runSpan, tally, verdictWords } from "../sections/verdict.ts";
import { formatCount } from "../units.ts";

/** GitHub's limit for one step. */
const MOST_PER_LEVEL = 10;
/** Half of GitHub's limit for a step, whose summary other programs can write to as well. */
const MOST_BYTES = 512 * 1024;
const FOLD_END = "\n\n</details>";
const CUT_NOTE = "\n\nCut here: see the reports for the rest.\n";

/** A message about the run, or about one of its scenarios. */
interface Annotation {
  about?: string | null;
  text: string;
}

/**
 * Workflow commands for standard output: an error for each reason of a failure, a warning for each
 * doubt about the numbers, and notices with the verdict and the comparison.
 */
export function renderAnnotations(report: Report): string {
  const verdict = { text: `${verdictWords(report)}: ${tally(report)} in ${runSpan(report)}` };
  return [
    ...commands("error", errorsOf(report)),
    ...commands("warning", warningsOf(report)),
    ...commands("notice", [...comparisonNotices(report.comparison), verdict]),
  ].map((line) => `${line}\n`).join("");
}

function errorsOf({ verdict: { status, reasons }, comparison }: Report): Annotation[] {
  const isSaid = reasons.some(({ code }) => code === 5);
  const isCut = status === "interrupted" && reasons.length === 0;
  return [
    ...reasons.map(({ scenario, message }) => ({ about: scenario, text: message })),
    ...isSaid ? [] : (comparison?.regressions ?? []).map((text) => ({ text })),
    ...isCut ? [{ text: "The run was interrupted: the numbers cover only a part of it." }] : [],
  ];
}

function warningsOf({ scenarios, rateLimit, comparison, verdict }: Report): Annotation[] {
  const said = new Set(verdict.reasons.map(({ message }) => message));
  const limit = rateLimit === null || rateLimit.scenario === null ? [] : [{
    about: rateLimit.scenario,
    text: `${refusalWords(rateLimit)}: ${rateLimit.message}`,
  }];
  const doubts = scenarios.flatMap((scenario) =>
    scenario.validity.warnings.filter(({ message }) => !said.has(message))
      .map((fact) => ({ about: scenario.title, text: factWords(scenario, fact) }))
  );
  const differences = (comparison?.differences ?? [])
    .map((text) => ({ text: `The runs compared differ: ${text}` }));
  return [...limit, ...doubts, ...differences];
}

function comparisonNotices(comparison: Comparison | undefined): Annotation[] {
  const rows = (comparison?.rows ?? []).filter(({ gating }) => gating);
  const parts = CHANGES.flatMap((change) => {
    const own = rows.filter(({ verdict }) => verdict === change);
    const names = change === "same" || change === "undecided"
      ? ""
      : ` (${own.map((row) => `${row.scenario} ${rowLabel(row, rows)}`).join(", ")})`;
    return own.length === 0 ? [] : [`${formatCount(own.length)} ${change}${names}`];
  });
  return parts.length === 0 ? [] : [{ text: `Comparison: ${parts.join(", ")}` }];
}

function commands(level: "error" | "warning" | "notice", all: readonly Annotation[]): string[] {
  const shown = all.length > MOST_PER_LEVEL ? all.slice(0, MOST_PER_LEVEL - 1) : all;
  const more = all.length - shown.length;
  const last = { text: `and ${formatCount(more)} more: see the reports` };
  return [...shown, ...more === 0 ? [] : [last]].map(({ about = null, text }: Annotation) => {
    const title = about === null ? "exai-ws-bench" : `exai-ws-bench: ${about}`;
    return `::${level} title=${escapeCommandProperty(title)}::${escapeCommandText(text)}`;
  });
}

/** The summary of the step, cut at half of GitHub's limit. */
export function renderStepSummary(report: Report): string {
  const document = buildDocument(report, { charts: new Map(), audience: "summary" });
  const page = renderMarkdown(document, { chartPath: () => null });
  const bytes = new TextEncoder().encode(page);
  if (bytes.length <= MOST_BYTES) return page;
  const room = MOST_BYTES - FOLD_END.length - CUT_NOTE.length;
  const head = new TextDecoder().decode(bytes.subarray(0, room));
  const kept = head.slice(0, head.lastIndexOf("\n"));
  const isInFold = kept.lastIndexOf("<details") > kept.lastIndexOf("</details>");
  return kept + (isInFold ? FOLD_END : "") + CUT_NOTE;
}
