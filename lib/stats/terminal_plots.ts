/**
 * Plots for the terminal: mitata's own renderers, which it exports without types.
 *
 * @module
 */

import * as mitata from "mitata";

interface Renderers {
  time(ns: number): string;
  histogram: {
    bins(stats: HistogramInput, size: number, percentile: number): unknown;
    ascii(bins: unknown, height: number, options: { colors: boolean }): string[];
  };
  boxplot: {
    ascii(
      rows: Record<string, BoxRow>,
      keyWidth: number,
      width: number,
      options: { colors: boolean; fmt: (value: number) => string },
    ): string[];
  };
  barplot: {
    ascii(
      rows: Record<string, number>,
      keyWidth: number,
      width: number,
      options: { colors: boolean; fmt: (value: number) => string },
    ): string[];
  };
  lineplot: {
    ascii(rows: Record<string, Line>, options: Record<string, unknown>): string[];
  };
}

interface HistogramInput {
  samples: readonly number[];
  min: number;
  max: number;
  avg: number;
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
export interface BoxplotOptions extends PlotOptions {
  /** `log`: equal ratios are equally wide; anything under 1 ns counts as that. */
  scale?: "linear" | "log";
  /** Writes the labels of the scale (times in nanoseconds by default). */
  format?: (ns: number) => string;
}

/** Points of one line, in order; a `null` leaves a gap. */
export interface Line {
  x: readonly (number | null)[];
  y: readonly (number | null)[];
}

export interface PlotOptions {
  /** Characters of the plot itself, without its labels. */
  width?: number;
  /** Lines, where the plot has a height. */
  height?: number;
  /** Whether to colour by ANSI sequences. */
  colors?: boolean;
}

const ANSI_COLOR = new RegExp("\u001b\\[\\d+m", "g");
/** The narrowest boxplot whose three labels fit beneath it. */
export const MINIMUM_BOX_WIDTH = 32;
/** Columns of a boxplot beside its names and its plot: a space, and the frame on either side. */
export const BOX_FRAME_WIDTH = 3;

/** A time with the unit that suits it, such as `1.25 ms`. */
export function formatTime(ns: number): string {
  return renderers.time(ns);
}

/**
 * The shape of a distribution up to its 99th percentile, as lines of bars; the bar of the mean is
 * marked by colour.
 *
 * @param sortedNs at least one sample in nanoseconds, in ascending order: evenly spaced percentiles
 * do
 * @throws {RangeError} if there is no sample
 */
export function renderHistogram(sortedNs: readonly number[], options: PlotOptions = {}): string[] {
  if (sortedNs.length === 0) {
    throw new RangeError("Cannot draw a histogram as there are no samples");
  }
  const { width = 40, height = 3, colors = false } = options;
  const sum = sortedNs.reduce((total, ns) => total + ns, 0);
  const stats = {
    samples: sortedNs,
    min: sortedNs[0],
    max: sortedNs[sortedNs.length - 1],
    avg: sum / sortedNs.length,
  };
  return renderers.histogram.ascii(renderers.histogram.bins(stats, width, 0.99), height, {
    colors,
  });
}

/**
 * Boxes on one common scale, a row for each name.
 *
 * @throws {RangeError} if all figures of all rows are the same, so that there is no scale
 */
export function renderBoxplot(
  rows: Record<string, BoxRow>,
  options: BoxplotOptions = {},
): string[] {
  const { width = 40, colors = false, scale = "linear", format = formatTime } = options;
  const values = Object.values(rows).flatMap(({ min, p99 }) => [min, p99]);
  const [lowest, highest] = [Math.min(...values), Math.max(...values)];
  if (!(highest > lowest)) {
    throw new RangeError(`Cannot draw boxes as their scale is empty: ${lowest} to ${highest} ns`);
  }
  const logarithmic = scale === "log";
  return renderers.boxplot.ascii(
    logarithmic ? mapFigures(rows, (ns) => Math.log(Math.max(1, ns))) : rows,
    keyWidth(rows),
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

/** Bars from 0, a row for each name, labelled by `format` (times in nanoseconds by default). */
export function renderBarplot(
  rows: Record<string, number>,
  options: PlotOptions & { format?: (value: number) => string } = {},
): string[] {
  const { width = 40, colors = false, format = formatTime } = options;
  // mitata's bars begin at the least value: with a row of 0 they begin at 0.
  const withZero = { ...rows, "": 0 };
  const lines = renderers.barplot.ascii(withZero, keyWidth(rows), width, { colors, fmt: format });
  lines.splice(1 + Object.keys(withZero).indexOf(""), 1);
  return lines;
}

/** The ends of both axes, and what is written at them. */
export interface LineplotAxes {
  xmin: number;
  xmax: number;
  ymin: number;
  ymax: number;
  labels?: { xmin?: string; xmax?: string; ymin?: string; ymax?: string };
}

/**
 * Lines on common axes, one for each name. Only colours tell several lines apart.
 *
 * @throws {RangeError} if an axis is empty
 */
export function renderLineplot(
  lines: Record<string, Line>,
  options: LineplotAxes & PlotOptions,
): string[] {
  const { xmin, xmax, ymin, ymax, labels = {}, width = 40, height = 10, colors = false } = options;
  if (!(xmax > xmin) || !(ymax > ymin)) {
    throw new RangeError(
      `Cannot draw lines as an axis is empty: x from ${xmin} to ${xmax}, y from ${ymin} to ${ymax}`,
    );
  }
  const plot = renderers.lineplot.ascii(lines, {
    xmin,
    xmax,
    ymin,
    ymax,
    labels: { xmin: null, xmax: null, ymin: null, ymax: null, ...labels },
    key: keyWidth(lines),
    width,
    height,
  });
  return colors ? plot : plot.map((line) => line.replaceAll(ANSI_COLOR, ""));
}

function keyWidth(rows: Record<string, unknown>): number {
  return Math.max(0, ...Object.keys(rows).map((name) => name.length));
}
