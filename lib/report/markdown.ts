/**
 * report.md: the sections and tables of the phase document, in its order, filled from one run.
 *
 * @module
 */

import type { Report } from "../schema.ts";
import { renderAccounting } from "./markdown/accounting.ts";
import { renderAchievements } from "./markdown/achievements.ts";
import {
  renderChecklist,
  renderFiles,
  renderInsights,
  renderNextSteps,
  renderSuccessCriteria,
} from "./markdown/closing.ts";
import { renderComparisons } from "./markdown/comparison.ts";
import { renderDetails } from "./markdown/details.ts";
import { type Figures, NO_FIGURES } from "./markdown/figures.ts";
import { isHeavyPhase } from "./heavy.ts";
import { renderHead } from "./markdown/head.ts";
import { renderHeavyPerformance, renderHeavyTools } from "./markdown/heavy.ts";
import { renderCompletedTasks, renderObjective } from "./markdown/objective.ts";
import { renderPerformance } from "./markdown/performance.ts";
import { renderPyramid } from "./markdown/pyramid.ts";

const SECTIONS: readonly ((report: Report, figures: Figures) => string)[] = [
  renderHead,
  renderObjective,
  renderCompletedTasks,
  renderPerformance,
  renderHeavyTools,
  renderAchievements,
  renderPyramid,
  renderDetails,
  renderComparisons,
  renderAccounting,
  renderNextSteps,
  renderFiles,
  renderChecklist,
  renderSuccessCriteria,
  renderInsights,
];

/** Those of the phase of heavy tools: what phase 2 says of its own goals is left out. */
const HEAVY_SECTIONS = SECTIONS.filter((section) => section !== renderAchievements)
  .map((section) => section === renderPerformance ? renderHeavyPerformance : section);

/**
 * The report as a page of GitHub-flavoured markdown without raw HTML. Depends on nothing but the
 * report: the same report gives the same bytes. `figures` are embedded beside the numbers that they
 * show; the page is complete without them.
 */
export function renderMarkdown(report: Report, figures: Figures = NO_FIGURES): string {
  const all = isHeavyPhase(report) ? HEAVY_SECTIONS : SECTIONS;
  const sections = all.map((section) => section(report, figures)).filter((text) => text !== "");
  return sections.join("\n\n---\n\n") + "\n";
}
