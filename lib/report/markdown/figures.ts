/**
 * The pictures of a page, by relative path: the page is complete without them.
 *
 * @module
 */

import type { Chart } from "../charts/chart.ts";
import { escapeMarkdown } from "../escape.ts";

/** What a page has to know of a chart. */
export type Figure = Pick<Chart, "name" | "scenario" | "alt">;

/** The charts of a report and the folder that they are in, as a page refers to it. */
export interface Figures {
  charts: readonly Figure[];
  /** As in a URL, without a slash at its end. */
  folder: string;
}

/** A page without any. */
export const NO_FIGURES: Figures = { charts: [], folder: "charts" };

/** The charts of a scenario, one after the other; empty where it has none. */
export function scenarioFigures({ charts, folder }: Figures, scenario: string): string {
  return charts.filter((chart) => chart.scenario === scenario)
    .map((chart) => image(chart, folder)).join("\n\n");
}

/** The chart of the whole run that is called `name`; empty where there is none. */
export function runFigure({ charts, folder }: Figures, name: string): string {
  const chart = charts.find((chart) => chart.scenario === null && chart.name === name);
  return chart === undefined ? "" : image(chart, folder);
}

function image({ name, alt }: Figure, folder: string): string {
  return `![${escapeMarkdown(alt)}](${folder}/${name}.svg)`;
}
