import { formatCountTick, formatDurationTick, isKnown } from "../units.ts";
import { COLORS, FONT_SIZE } from "./theme.ts";

/** From this ratio of highest to lowest an axis is logarithmic. */
const WIDE = 20;
/** An axis of up to this many decades has ticks at 1, 2 and 5. */
const DECADES_WITH_FIFTHS = 3.2;

export interface Scale {
  isLog: boolean;
  min: number;
  max: number;
  ticks: number[];
}

/** Values to draw; those that are `null` or not finite are ignored. */
type Values = readonly (number | null)[];

/** A scale from 0, or from the lowest value if that is negative. */
export function linearScale(values: Values): Scale {
  const finite = values.filter(isKnown);
  return spread(Math.min(0, ...finite), Math.max(0, ...finite));
}

/** A scale around the values, which need not include 0. */
export function fittedScale(values: Values): Scale {
  const finite = values.filter(isKnown);
  const [low, high] = finite.length === 0 ? [0, 1] : [Math.min(...finite), Math.max(...finite)];
  // Values that differ by less look equal.
  const margin = Math.max((high - low) * 0.1, Math.abs(high) * 0.04) || 1;
  return spread(low >= 0 ? Math.max(0, low - margin) : low - margin, high + margin);
}

function spread(low: number, high: number): Scale {
  const span = high - low || 1;
  const power = 10 ** Math.floor(Math.log10(span / 5));
  const step = power * ([1, 2, 5].find((factor) => span / (factor * power) <= 6) ?? 10);
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  // Without rounding errors.
  const tick = (nth: number) => Number(((first + nth) * step).toPrecision(12));
  const ticks = Array.from({ length: last - first + 1 }, (_, nth) => tick(nth));
  return { isLog: false, min: ticks[0]!, max: ticks.at(-1)!, ticks };
}

/** A logarithmic scale around the values above 0, between 1, 2 or 5 times powers of ten. */
export function logScale(values: Values): Scale {
  const positive = values.filter(isKnown).filter((value) => value > 0);
  const [low, high] = positive.length === 0
    ? [1, 10]
    : [Math.min(...positive), Math.max(...positive)];
  const power = Math.floor(Math.log10(low)) - 1;
  const steps = Array.from(
    { length: 3 * (Math.floor(Math.log10(high)) - power + 2) },
    (_, nth) => Number(`${[1, 2, 5][nth % 3]}e${power + Math.floor(nth / 3)}`),
  );
  const min = steps.findLast((step) => step <= low * (1 + 1e-9))!;
  const max = steps.find((step) => step >= high * (1 - 1e-9) && step > min)!;
  const decades = Math.log10(max / min);
  const every = Math.ceil(decades / 8);
  const ticks = steps.filter((step) =>
    step >= min && step <= max &&
    (decades <= DECADES_WITH_FIFTHS || Number.isInteger(Math.log10(step)))
  ).filter((_, nth) => nth % every === 0);
  return { isLog: true, min, max, ticks };
}

/** The scale `narrow`, or a logarithmic one from the ratio `wide` of highest to lowest. */
export function wideScale(values: Values, { wide = WIDE, narrow = linearScale } = {}): Scale {
  const positive = values.filter(isKnown).filter((value) => value > 0);
  return Math.max(...positive) / Math.min(...positive) >= wide ? logScale(values) : narrow(values);
}

export interface Axis extends Scale {
  format: (value: number) => string;
  /** Shown below a horizontal axis. */
  name?: string;
  /** For named rows, the first at the top: `apart` draws lines between rows, not through them. */
  rows?: "lined" | "apart";
}

/** An axis of times in nanoseconds. */
export function timeAxis(scale: Scale, name?: string): Axis {
  return { ...scale, format: formatDurationTick, name };
}

/** An axis of counts or rates. */
export function countAxis(scale: Scale): Axis {
  return { ...scale, format: formatCountTick };
}

/** An axis with a row for each label. */
export function rowAxis(labels: readonly string[], rows: Axis["rows"] = "lined"): Axis {
  const [min, max] = [-0.5, labels.length - 0.5];
  return { isLog: false, min, max, ticks: [...labels.keys()], rows, format: (row) => labels[row]! };
}

/** The axis as an option of echarts. */
export function axisOption({ isLog, min, max, ticks, format, name = "", rows }: Axis) {
  const show = rows === undefined;
  const [grey, words] = [{ color: COLORS.grey }, { color: COLORS.muted, fontSize: FONT_SIZE }];
  return {
    ...{ type: isLog ? "log" as const : "value" as const, min, max, inverse: !show },
    ...{ name, nameLocation: "middle" as const, nameGap: 30, nameTextStyle: words },
    axisLine: { show, onZero: false, lineStyle: grey },
    axisTick: { show, customValues: ticks, lineStyle: grey },
    axisLabel: {
      ...{ customValues: ticks, formatter: format, hideOverlap: show },
      ...{ color: COLORS.text, fontSize: FONT_SIZE, lineHeight: FONT_SIZE + 2 },
    },
    splitLine: { show: rows !== "apart", lineStyle: { color: COLORS.grid } },
  };
}
