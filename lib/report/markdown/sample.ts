import type { Report } from "../../schema.ts";
import { stack } from "./blocks.ts";
import { type Figures, runFigure } from "./figures.ts";
import { renderStatus } from "./head.ts";
import { renderSummary } from "./summary.ts";

/** What the chart shows that stands for a whole run: a call through a socket against one without. */
const CHART = "testing-pyramid";

/**
 * The summary of a run of the bundled server, with one chart, for the top of this project's own README.
 *
 * @throws {RangeError} if another server was measured, or there is no such chart
 */
export function sampleText(report: Report, figures: Figures): string {
  if (report.target.kind !== "embedded") {
    throw new RangeError(
      `Cannot show the run as a sample as it must be of the bundled server: it is of ${report.target.url}`,
    );
  }
  const chart = runFigure(figures, CHART);
  if (chart === "") throw new RangeError(`Cannot show the run as a sample as it has no ${CHART}`);
  return stack([renderStatus(report), chart, renderSummary(report)]);
}
