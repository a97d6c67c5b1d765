/**
 * Numbers as text: three significant digits, `1,234.5` in every locale, a dash if not measured.
 * Numbers shown together (a row, an interval) share a {@linkcode Scale}, and so a unit.
 *
 * @module
 */

/** Shown instead of a number that was not measured. */
export const DASH = "–";

/** A unit, and its size in the unit of report.json. */
export interface Scale {
  unit: string;
  size: number;
}

const scales = (factor: number, units: readonly string[]): readonly Scale[] =>
  units.map((unit, power) => ({ unit, size: factor ** power }));
const COUNTS = scales(1000, ["", "K", "M", "G"]);
const SCALES = new Map<string, readonly Scale[]>([
  ["ns", scales(1000, ["ns", "µs", "ms", "s"])],
  ["bytes", scales(1024, ["B", "KiB", "MiB", "GiB", "TiB"])],
  ["bytes/s", scales(1024, ["B/s", "KiB/s", "MiB/s", "GiB/s", "TiB/s"])],
  ["share", [{ unit: "%", size: 0.01 }]],
]);

/** The scale for a number of report.json: the largest unit that it reaches. */
export function scaleOf(value: number | null, unit: string): Scale {
  const steps = SCALES.get(unit) ?? [{ unit, size: 1 }];
  const size = Math.abs(value ?? 0);
  // By the rounded number: 999.6 us is 1.00 ms.
  return steps.findLast((step) => roundTo(size / step.size, stepOf(size / step.size)) >= 1) ??
    steps[0]!;
}

function stepOf(value: number): number {
  // By the rounded number: 999.6 has as many digits as 1,000.
  const power = Math.floor(Math.log10(Math.abs(+value.toPrecision(3)))) - 2;
  return value === 0 ? 0.01 : 10 ** Math.max(-300, power);
}

function roundTo(value: number, step: number): number {
  return Math.round(value / step) * step;
}

/** Three significant digits, or as many decimals as `like` has: `9,410`, `21.2`, `0.0240`. */
export function formatDigits(value: number, like = value): string {
  if (Number.isSafeInteger(value) && Math.abs(value) < 1000 && value === like) return String(value);
  if (Math.max(Math.abs(value), Math.abs(like)) >= 1e15) return value.toExponential(2);
  const step = stepOf(like);
  const decimals = Math.min(9, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));
  const text = roundTo(value, step).toFixed(decimals);
  return groupDigits(Number(text) === 0 ? text.replace("-", "") : text);
}

function groupDigits(digits: string): string {
  const [whole = "", ...rest] = digits.split(".");
  return [whole.replace(/\B(?=(\d{3})+$)/g, ","), ...rest].join(".").replace("-", "\u2212");
}

function withUnit(digits: string, unit: string): string {
  return unit === "" ? digits : unit === "x" ? `${digits}x` : `${digits} ${unit}`;
}

/** False for a missing number, and for an infinite ratio. */
export function isKnown(value: number | null | undefined): value is number {
  return value !== null && value !== undefined && Number.isFinite(value);
}

/** From here on a number in a scale shared with others is unreadable: 10,000,000 µs is 10 s. */
const MOST_SHARED = 1e5;

/** A number of report.json in its unit, or in the scale it shares with others if that fits. */
export function formatQuantity(value: number | null, unit: string, shared?: Scale): string {
  if (!isKnown(value)) return DASH;
  const isShared = shared !== undefined && Math.abs(value) < MOST_SHARED * shared.size;
  const scale = isShared ? shared : scaleOf(value, unit);
  return withUnit(
    formatDigits(value / scale.size),
    value === 0 && unit === "ns" ? "s" : scale.unit,
  );
}

/** `[low, high]` with the digits and the unit of the value `like`: `205 to 219 µs`. */
export function formatInterval(
  interval: readonly [number, number],
  unit: string,
  like: number | null,
  namesUnit = true,
): string {
  if (!interval.every(isKnown)) return DASH;
  const anchor = like ?? interval[1];
  const scale = scaleOf(anchor, unit);
  const [low, high] = interval.map((bound) =>
    formatDigits(bound / scale.size, anchor / scale.size)
  );
  return withUnit(`${low} to ${high}`, namesUnit ? scale.unit : "");
}

/** A time in nanoseconds: `431 ns`, `37.9 µs`, `1.20 s`. */
export const formatDuration = (ns: number | null) => formatQuantity(ns, "ns");
/** Messages per second: `1,150 msg/s`. */
export const formatRate = (perSecond: number | null) => formatQuantity(perSecond, "msg/s");
/** How many times: `2,690x`, `1.54x`. */
export const formatRatio = (ratio: number | null) => formatQuantity(ratio, "x");
/** A size in bytes, in powers of 1024: `15.6 GiB`. */
export const formatBytes = (bytes: number | null) => formatQuantity(bytes, "bytes");

/** A time in milliseconds, in the form of {@linkcode formatDuration}. */
export function formatMilliseconds(milliseconds: number | null): string {
  return formatDuration(milliseconds === null ? null : milliseconds * 1e6);
}

/** A duration in minutes and seconds: `9.3 s`, `45 s`, `12 min 30 s`. */
export function formatSpan(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  if (milliseconds < 9500) return `${(milliseconds / 1000).toFixed(1)} s`;
  const [minutes, rest] = [Math.floor(seconds / 60), seconds % 60];
  if (seconds < 120) return `${seconds} s`;
  return rest === 0 ? `${minutes} min` : `${minutes} min ${rest} s`;
}

/** A short rate: `3.10M msg/s`. */
export function formatCompactRate(perSecond: number | null): string {
  if (!isKnown(perSecond)) return DASH;
  const scale = perSecond < 10_000 ? COUNTS[0]! : COUNTS.findLast(({ size }) => perSecond >= size)!;
  return `${formatDigits(perSecond / scale.size)}${scale.unit} msg/s`;
}

/** A share from 0 to 1: `60 %`. Only exactly 0 and 1 are `0 %` and `100 %`. */
export function formatPercent(share: number | null): string {
  if (!isKnown(share)) return DASH;
  const percent = share * 100;
  if (percent > 0 && percent < 0.05) return "under 0.1 %";
  if (percent < 100 && percent >= 99.95) return "over 99.9 %";
  const size = Math.abs(percent);
  return `${groupDigits(String(Number(percent.toFixed(size < 10 ? 1 : 0))))} %`;
}

/** A count, exact: `12,000`. */
export function formatCount(count: number | null): string {
  return isKnown(count) ? groupDigits(String(Math.round(count))) : DASH;
}

/** `1 call`, `12 calls`: a noun that takes an s. */
export function formatCounted(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** A parameter: whole numbers exactly, others with three digits. */
export function formatNumber(value: number): string {
  return Number.isSafeInteger(value) ? formatCount(value) : formatDigits(value);
}

/** A tick of a time axis in nanoseconds, without trailing zeros: `200 µs`, `1 ms`. */
export function formatDurationTick(ns: number): string {
  const { unit, size } = scaleOf(ns, "ns");
  return ns === 0 ? "0" : `${Number((ns / size).toPrecision(3))} ${unit}`;
}

/** A tick of an axis of counts or rates: `200`, `1.5K`, `1M`. */
export function formatCountTick(count: number): string {
  const { unit, size } = COUNTS.findLast(({ size }) => Math.abs(count) >= size) ?? COUNTS[0]!;
  return `${Number((count / size).toPrecision(3))}${unit}`;
}

/** An ISO 8601 time in UTC to the minute: `2025-10-26 17:10 UTC`; other text unchanged. */
export function formatTimestamp(iso: string): string {
  const match = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)[\d:.]*Z$/.exec(iso);
  return match ? `${match[1]} ${match[2]} UTC` : iso;
}
