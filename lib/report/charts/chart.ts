/**
 * What a picture is before and after it is drawn.
 *
 * @module
 */

import type { EChartsOption } from "echarts";
import type { Cell } from "../cells.ts";

/** What stands in one place of a chart. */
export interface ChartCell {
  text: string;
  /** As in report.json. */
  value: number;
  /** Its place on the axes, or in the picture: in pixels from its upper left corner. */
  at: readonly [number, number];
  /** Which grid's axes, of a chart with several. */
  grid?: number;
}

/** The numbers of a chart as a table, each with its place in the picture. */
export interface ChartTable {
  /** The axis along which the rows lie. */
  axis: "x" | "y";
  /** What tells the rows apart. */
  heading: string;
  /** What is told of each row, with the colour that it has in the picture; `null`: it is not drawn. */
  columns: readonly { heading: string; color: string | null }[];
  /** A cell without a place is text; `null`: not measured. */
  rows: readonly { label: Cell; cells: readonly (ChartCell | string | null)[] }[];
}

/** A picture of one report, as an SVG that stands alone: no script, no font, nothing to fetch. */
export interface Chart {
  /** The file name without `.svg`: kebab-case, and no other chart of the report has it. */
  name: string;
  /** The scenario that it shows; `null`: the whole run. */
  scenario: string | null;
  /** What is seen in it, as plain text, possibly with a server's own words in it. */
  title: string;
  /** The same for those who do not see it, with the numbers that matter. */
  alt: string;
  svg: string;
  /** What can be read off it, with places in pixels. */
  table: ChartTable;
}

/** Everything that a picture is drawn from; plain data, so that what is drawn can be tested. */
export interface ChartPlan extends Omit<Chart, "svg"> {
  /** With places on the axes. */
  table: ChartTable;
  /** Under the title: what it was measured in, and whether to trust it. */
  subtitle: string;
  /** Whether nothing in the subtitle warns of the numbers. */
  isSound: boolean;
  /** Names of series, in the order of the legend; without any there is no legend. */
  legend: string[];
  /** In pixels; every chart is equally wide. */
  height: number;
  option: EChartsOption;
}
