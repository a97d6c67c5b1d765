/**
 * Plots for the terminal: mitata's own renderers, which it exports without types.
 *
 * @module
 */

import * as mitata from "mitata";

interface Renderers {
  time(ns: number): string;
  boxplot: {
    ascii(
      rows: Record<string, BoxRow>,
      keyWidth: number,
      width: number,
      options: { colors: boolean; fmt: (value: number) => string },
    ): string[];
  };
}

const { $: renderers } = mitata as unknown as { $: Renderers };

/** The figures of one box, in nanoseconds; its whiskers end at `min` and `p99`, its mark is at `avg`. */
export interface BoxRow {
  min: number;
  p25: number;
  avg: number;
  p75: number;
  p99: number;
}

/** How boxes are laid out. */
export interface BoxplotOptions {
  /** Characters of the plot itself, without its labels; 40 by default. */
  width?: number;
  /** Whether to colour by ANSI sequences. */
  colors?: boolean;
  /** `log`: equal ratios are equally wide; anything under 1 ns counts as that. */
  scale?: "linear" | "log";
  /** Writes the labels of the scale (times in nanoseconds by default). */
  format?: (ns: number) => string;
}

/** The narrowest boxplot whose three labels fit beneath it. */
export const MINIMUM_BOX_WIDTH = 32;
/** Columns of a boxplot beside its names and its plot: a space, and the frame on either side. */
export const BOX_FRAME_WIDTH = 3;

/**
 * Boxes on one common scale, a row for each name.
 *
 * @throws {RangeError} if all figures of all rows are the same, so that there is no scale
 */
export function renderBoxplot(
  rows: Record<string, BoxRow>,
  options: BoxplotOptions = {},
): string[] {
  const { width = 40, colors = false, scale = "linear", format = renderers.time } = options;
  const values = Object.values(rows).flatMap(({ min, p99 }) => [min, p99]);
  const [lowest, highest] = [Math.min(...values), Math.max(...values)];
  if (!(highest > lowest)) {
    throw new RangeError(`Cannot draw boxes as their scale is empty: ${lowest} to ${highest} ns`);
  }
  const logarithmic = scale === "log";
  return renderers.boxplot.ascii(
    logarithmic ? mapFigures(rows, (ns) => Math.log(Math.max(1, ns))) : rows,
    Math.max(...Object.keys(rows).map((name) => name.length)),
    Math.max(MINIMUM_BOX_WIDTH, width),
    { colors, fmt: (value) => format(logarithmic ? Math.exp(value) : value) },
  );
}

function mapFigures(
  rows: Record<string, BoxRow>,
  change: (ns: number) => number,
): Record<string, BoxRow> {
  return Object.fromEntries(
    Object.entries(rows).map(([name, { min, p25, avg, p75, p99 }]) => [name, {
      min: change(min),
      p25: change(p25),
      avg: change(avg),
      p75: change(p75),
      p99: change(p99),
    }]),
  );
}
