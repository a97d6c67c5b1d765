/**
 * What a figure is before it is drawn: plain data, so that what is drawn can be tested.
 *
 * @module
 */

import type { SeriesOption } from "echarts";
import type { Distribution, Scalar, ScenarioReport } from "../../schema.ts";
import type { Figure } from "../document.ts";
import { escapeTerminal } from "../escape.ts";
import { words } from "../quantities.ts";
import type { Axis } from "./axes.ts";

/** One pair of axes with what is drawn on them; the panels of a figure stand one below the other. */
export interface Panel {
  /** Above its upper left corner: what is measured, and in what. */
  caption: string;
  x: Axis;
  y: Axis;
  /** Of the area between the axes, in pixels. */
  height: number;
  series: SeriesOption[];
  /** Room for words above the area, in pixels. */
  above?: number;
}

/** What is drawn of a scenario or a run; what it is called in its report is not its own to say. */
export interface Plan extends Omit<Figure, "svg" | "id"> {
  panels: readonly Panel[];
}

export type FigurePlan = Plan & Pick<Figure, "id">;

/** Text of others on one line, cut where there is no more room. */
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

/** Names, of which the second of a kind and those after it have their place. */
export function distinct(names: readonly string[]): string[] {
  return names.map((name, nth) => names.indexOf(name) === nth ? name : `${name} (${nth + 1})`);
}

/** A file name of what others may have named: kebab-case, never empty. */
export function slug(text: string): string {
  const parts = text.toLowerCase().normalize("NFKD").match(/[a-z0-9]+/g) ?? [];
  return parts.join("-").slice(0, 48).replace(/-$/, "") || "unnamed";
}

export const distributionsOf = ({ metrics }: ScenarioReport): Distribution[] =>
  metrics.filter((metric) => metric.kind === "distribution");

export const scalarsOf = ({ metrics }: ScenarioReport): Scalar[] =>
  metrics.filter((metric) => metric.kind === "scalar");
