/**
 * The marks that charts are made of: lines, dots, intervals, bands and rules.
 *
 * @module
 */

import { COLORS } from "./theme.ts";

/** A point; `null` where there is nothing, which breaks a line. */
export type Point = readonly [number, number | null];

/** How a mark is drawn. */
export interface MarkStyle {
  color: string;
  dashed?: boolean;
  /** Of a chart with several grids. */
  grid?: number;
}

/** A line through points. */
export function line(name: string, points: readonly Point[], style: MarkStyle) {
  const { color, dashed = false } = style;
  return {
    ...on(style),
    name,
    type: "line" as const,
    data: points.map(([x, y]) => [x, y ?? "-"]),
    showSymbol: false,
    symbol: "none",
    itemStyle: { color },
    lineStyle: { color, width: 2, type: dashed ? [5, 4] : "solid" as const },
  };
}

/** A line whose points are marked. */
export function markedLine(name: string, points: readonly Point[], style: MarkStyle) {
  return { ...line(name, points, style), showSymbol: true, symbol: "circle", symbolSize: 7 };
}

/** Dots. */
export function dots(
  name: string,
  points: readonly Point[],
  style: MarkStyle & { hollow?: boolean },
) {
  const { color, hollow = false } = style;
  return {
    ...on(style),
    name,
    type: "scatter" as const,
    data: points.map(([x, y]) => [x, y ?? "-"]),
    symbol: "circle",
    symbolSize: 9,
    itemStyle: hollow
      ? { color: COLORS.background, borderColor: color, borderWidth: 2, opacity: 1 }
      : { color, borderColor: color, opacity: 1 },
  };
}

/** A stroke from one point to the other for each pair, all of one name. */
export function strokes(
  name: string,
  pairs: readonly (readonly [Point, Point])[],
  style: MarkStyle,
) {
  return line(
    name,
    // A point with nothing in it keeps the strokes apart.
    pairs.flatMap(([from, to]): Point[] => [from, to, [to[0], null]]),
    style,
  );
}

/** A rule across the chart at one value, with words at its end. */
export interface Rule {
  axis: "x" | "y";
  at: number;
  text: string;
  color: string;
  /** Where the words stand. */
  position?: "insideStartTop" | "end";
  /** Of a rule that stands: on which side of it the words are. */
  side?: "left" | "right";
}

/** Rules, as a part of a series. */
export function rules(all: readonly Rule[]) {
  return {
    silent: true,
    symbol: "none",
    animation: false,
    data: all.map(({ axis, at, text, color, position = "end", side }) => ({
      ...(axis === "x" ? { xAxis: at } : { yAxis: at }),
      lineStyle: { color, type: [5, 4], width: 1.5 },
      label: {
        formatter: () => text,
        position,
        ...(side === undefined ? {} : { align: side === "left" ? "right" : "left" } as const),
        color,
        fontSize: 12,
        textBorderColor: COLORS.background,
        textBorderWidth: 3,
      },
    })),
  };
}

/** Bands between two values across the chart, as a part of a series. */
export function bands(
  axis: "xAxis" | "yAxis",
  all: readonly (readonly [number, number])[],
  color: string,
) {
  return {
    silent: true,
    animation: false,
    itemStyle: { color, opacity: 0.14 },
    data: all.map(([from, to]) => [{ [axis]: from }, { [axis]: to }] as [object, object]),
  };
}

function on({ grid = 0 }: MarkStyle) {
  return { xAxisIndex: grid, yAxisIndex: grid, silent: true, animation: false };
}
