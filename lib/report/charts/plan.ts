/**
 * A figure before it is drawn: plain data, which tests can inspect.
 *
 * @module
 */

import type { SeriesOption } from "echarts";
import type { Distribution, Scalar, ScenarioReport } from "../../schema.ts";
import type { Figure } from "../document.ts";
import { escapeTerminal } from "../escape.ts";
import { words } from "../quantities.ts";
import type { Axis } from "./axes.ts";

/** One pair of axes with its series; the panels of a figure are stacked. */
export interface Panel {
  /** Above the upper left corner: the quantity and its unit. */
  caption: string;
  x: Axis;
  y: Axis;
  /** Height of the plot area in pixels. */
  height: number;
  series: SeriesOption[];
  /** Room for a label above the plot area, in pixels. Default: 0. */
  above?: number;
}

/** A figure without its id, which depends on the report's other figures. */
export interface Plan extends Omit<Figure, "svg" | "id"> {
  panels: readonly Panel[];
}

export type FigurePlan = Plan & Pick<Figure, "id">;

/** Text from elsewhere on one line, cut to `longest` characters. */
export function cut(text: string, longest = 28): string {
  const characters = [...escapeTerminal(text)];
  return characters.length <= longest
    ? characters.join("")
    : `${characters.slice(0, longest - 1).join("")}…`;
}

/** Words for a name such as `serviceTime`: `service time`. */
export function nameText(name: string): string {
  return cut(words(name));
}

/** Makes names unique by adding the position to repeated ones: `a`, `a (2)`. */
export function distinct(names: readonly string[]): string[] {
  return names.map((name, nth) => names.indexOf(name) === nth ? name : `${name} (${nth + 1})`);
}

export const distributionsOf = ({ metrics }: ScenarioReport): Distribution[] =>
  metrics.filter((metric) => metric.kind === "distribution");

export const scalarsOf = ({ metrics }: ScenarioReport): Scalar[] =>
  metrics.filter((metric) => metric.kind === "scalar");
