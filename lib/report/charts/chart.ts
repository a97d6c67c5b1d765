/**
 * What a picture is before and after it is drawn.
 *
 * @module
 */

import type { EChartsOption } from "echarts";

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
}

/** Everything that a picture is drawn from; plain data, so that what is drawn can be tested. */
export interface ChartPlan extends Omit<Chart, "svg"> {
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
