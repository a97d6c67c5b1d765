/**
 * The marks of charts: lines, dots, strokes, bands and rules. Marks without a name are in no legend.
 *
 * @module
 */

import { COLORS, FONT_SIZE } from "./theme.ts";

/** A point; a `null` breaks the line. */
export type Point = readonly [number, number | null];

export interface MarkStyle {
  color: string;
  dashed?: boolean;
  /** In pixels. */
  width?: number;
  hollow?: boolean;
}

/** A line through points. */
export function line(name: string, points: readonly Point[], style: MarkStyle) {
  const { color, dashed = false, width = 2 } = style;
  return {
    ...{ name, type: "line" as const, showSymbol: false, symbol: "none" },
    data: points.map(([x, y]) => [x, y ?? "-"]),
    itemStyle: { color },
    lineStyle: { color, width, cap: "butt" as const, type: dashed ? [5, 4] : "solid" as const },
  };
}

/** A line whose points are marked. */
export function markedLine(name: string, points: readonly Point[], style: MarkStyle) {
  return { ...line(name, points, style), showSymbol: true, symbol: "circle", symbolSize: 7 };
}

/** Dots. */
export function dots(name: string, points: readonly Point[], style: MarkStyle) {
  const { color, hollow = false, width = 9 } = style;
  const fill = hollow ? { color: COLORS.background, borderWidth: 2 } : { color };
  return {
    ...{ name, type: "scatter" as const, symbol: "circle", symbolSize: width },
    data: points.map(([x, y]) => [x, y ?? "-"]),
    itemStyle: { borderColor: color, opacity: 1, ...fill },
  };
}

/** A stroke between the points of each pair. */
export function strokes(
  name: string,
  pairs: readonly (readonly [Point, Point])[],
  style: MarkStyle,
) {
  // A `null` keeps the strokes apart.
  return line(name, pairs.flatMap(([from, to]): Point[] => [from, to, [to[0], null]]), style);
}

/** A mark in a row: a dot, a stroke, or both. */
export interface RowMark extends MarkStyle {
  name: string;
  row: number;
  dot: number;
  stroke: readonly [number, number] | null;
}

/** Marks in rows, as one series for each name. */
export function rowMarks(marks: readonly RowMark[]) {
  return [...Map.groupBy(marks, ({ name }) => name)].flatMap(([name, own]) => {
    const pairs = own.flatMap(({ row, stroke }) =>
      stroke === null ? [] : [[[stroke[0], row], [stroke[1], row]] as const]
    );
    const points = own.map(({ row, dot }) => [dot, row] as const);
    return [strokes(name, pairs, own[0]!), dots(name, points, own[0]!)];
  }).filter(({ data }) => data.length > 0);
}

/**
 * A dashed rule at one value of an axis, as part of a series. The label of a vertical rule is above it,
 * centred unless `align` is set.
 */
export function rule(
  axis: "xAxis" | "yAxis",
  at: number,
  { text, color, align }: { text: string; color: string; align?: "left" | "right" },
) {
  return {
    symbol: "none",
    data: [{ [axis]: at } as { xAxis: number }],
    lineStyle: { color, type: [5, 4], width: 1.5 },
    label: {
      formatter: () => text,
      align,
      position: axis === "xAxis" ? "end" as const : "insideStartTop" as const,
      ...{ color, fontSize: FONT_SIZE, textBorderColor: COLORS.background, textBorderWidth: 3 },
    },
  };
}

/** Bands between pairs of x values, as part of a series. */
export function bands(all: readonly (readonly [number, number])[], color: string) {
  return {
    itemStyle: { color, opacity: 0.16 },
    data: all.map(([from, to]) => [{ xAxis: from }, { xAxis: to }] as [object, object]),
  };
}
