/**
 * Axes with their marks: where they begin and end, and what stands at each mark. Pure.
 *
 * @module
 */

import { formatCountTick, formatDurationTick } from "../units.ts";
import { COLORS } from "./theme.ts";

/** From this ratio of highest to lowest on, an axis is logarithmic. */
const WIDE = 20;
/** Up to this many decades, there are marks at 1, 2 and 5 of each. */
const DECADES_WITH_FIFTHS = 3.2;

/** Where an axis begins and ends, and its marks. */
export interface Scale {
  isLog: boolean;
  min: number;
  max: number;
  ticks: number[];
}

/** A scale from 0 that holds the values. */
export function linearScale(values: readonly number[]): Scale {
  return spread(0, Math.max(0, ...values.filter(Number.isFinite)));
}

/** A scale around the values, whose distance from 0 does not matter. */
export function fittedScale(values: readonly number[]): Scale {
  const finite = values.filter(Number.isFinite);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  // What differs by less than this looks equal.
  const margin = Math.max((high - low) * 0.1, Math.abs(high) * 0.04) || 1;
  return spread(low >= 0 ? Math.max(0, low - margin) : low - margin, high + margin);
}

/** About five even steps of 1, 2 or 5 times a power of ten. */
function spread(low: number, high: number): Scale {
  const span = high - low || 1;
  const power = 10 ** Math.floor(Math.log10(span / 5));
  const step = power * ([1, 2, 5].find((factor) => span / (factor * power) <= 6) ?? 10);
  const first = Math.floor(low / step + 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  const ticks = Array.from(
    { length: last - first + 1 },
    // Without the noise of binary fractions.
    (_, index) => Number(((first + index) * step).toPrecision(12)),
  );
  return { isLog: false, min: ticks[0]!, max: ticks[ticks.length - 1]!, ticks };
}

/** A logarithmic scale around values above 0; others are left out. */
export function logScale(values: readonly number[]): Scale {
  const positive = values.filter((value) => value > 0 && Number.isFinite(value));
  const low = positive.length === 0 ? 1 : Math.min(...positive);
  const high = positive.length === 0 ? 10 : Math.max(...positive);
  const min = stepsUpTo(low).at(-1)!;
  const max = stepsUpTo(high * 10).find((step) => step >= high && step > min)!;
  const decades = Math.log10(max / min);
  const factors = decades <= DECADES_WITH_FIFTHS ? [1, 2, 5] : [1];
  const all = steps(min, factors).filter((tick) => tick <= max * (1 + 1e-9));
  const every = Math.ceil(decades / 8);
  return { isLog: true, min, max, ticks: all.filter((_, index) => index % every === 0) };
}

/** 1, 2 and 5 times powers of ten, from a decade below `value` up to it. */
function stepsUpTo(value: number): number[] {
  const power = Math.floor(Math.log10(value));
  return [-2, -1, 0].flatMap((offset) =>
    [1, 2, 5].map((factor) => Number(`${factor}e${power + offset}`))
  ).filter((step) => step <= value * (1 + 1e-9));
}

/** The steps with these factors from `min` on, over 20 decades. */
function steps(min: number, factors: readonly number[]): number[] {
  const power = Math.floor(Math.log10(min));
  return Array.from({ length: 20 }, (_, index) => power + index)
    .flatMap((exponent) => factors.map((factor) => Number(`${factor}e${exponent}`)))
    .filter((step) => step >= min * (1 - 1e-9));
}

/** A scale of times from 0, or a logarithmic one where they differ widely. */
export function wideScale(values: readonly number[]): Scale {
  const positive = values.filter((value) => value > 0 && Number.isFinite(value));
  const isWide = positive.length > 0 && Math.max(...positive) / Math.min(...positive) >= WIDE;
  return isWide ? logScale(positive) : linearScale(values);
}

/** What is written at an axis. */
export interface AxisOptions {
  name: string;
  format: (value: number) => string;
  /** Between the axis and its name, in pixels. */
  nameGap?: number;
  gridIndex?: number;
}

/** An axis of a scale; its name says whether it is logarithmic. */
export function valueAxis(scale: Scale, options: AxisOptions) {
  const { isLog, min, max, ticks } = scale;
  const { name, format, nameGap = 32, gridIndex = 0 } = options;
  return {
    type: isLog ? "log" as const : "value" as const,
    gridIndex,
    min,
    max,
    name: isLog ? `${name}, log scale` : name,
    nameLocation: "middle" as const,
    nameGap,
    nameTextStyle: { color: COLORS.muted, fontSize: 12 },
    axisLine: { show: true, lineStyle: { color: COLORS.grey } },
    axisTick: { customValues: ticks, lineStyle: { color: COLORS.grey } },
    axisLabel: {
      customValues: ticks,
      color: COLORS.text,
      fontSize: 12,
      formatter: format,
      hideOverlap: true,
    },
    minorTick: { show: false },
    splitLine: { lineStyle: { color: COLORS.grid } },
  };
}

/** The vertical axis of times in nanoseconds. */
export function durationAxis(scale: Scale, { name, gridIndex }: Omit<AxisOptions, "format">) {
  return valueAxis(scale, { name, gridIndex, nameGap: 58, format: formatDurationTick });
}

/** The vertical axis of calls a second. */
export function rateAxis(scale: Scale, { name, gridIndex }: Omit<AxisOptions, "format">) {
  return valueAxis(scale, {
    name: `${name} (msg/s)`,
    gridIndex,
    nameGap: 58,
    format: formatCountTick,
  });
}
