/**
 * The only place where a number becomes text with a unit. Every function is pure and independent of
 * the locale: a comma groups thousands, a point starts decimals, and `null` (not measured) is a dash.
 *
 * @module
 */

/** What stands in a table where nothing was measured. */
export const DASH = "–";

/** One way to write a magnitude: used while the text it gives stays under `below` units. */
interface Step {
  unit: string;
  size: number;
  decimals: number;
  below: number;
}

const DURATION_STEPS: Step[] = [
  { unit: "ns", size: 1, decimals: 0, below: 1000 },
  { unit: "µs", size: 1e3, decimals: 2, below: 10 },
  { unit: "µs", size: 1e3, decimals: 1, below: 100 },
  { unit: "ms", size: 1e6, decimals: 2, below: 10 },
  { unit: "ms", size: 1e6, decimals: 1, below: 100 },
  { unit: "ms", size: 1e6, decimals: 0, below: 1000 },
  { unit: "s", size: 1e9, decimals: 1, below: 100 },
  { unit: "s", size: 1e9, decimals: 0, below: Infinity },
];

const BYTE_STEPS: Step[] = [
  { unit: "B", size: 1, decimals: 0, below: 1024 },
  { unit: "KiB", size: 2 ** 10, decimals: 1, below: 1024 },
  { unit: "MiB", size: 2 ** 20, decimals: 1, below: 1024 },
  { unit: "GiB", size: 2 ** 30, decimals: 1, below: 1024 },
  { unit: "TiB", size: 2 ** 40, decimals: 1, below: Infinity },
];

const COMPACT_STEPS: Step[] = [
  { unit: "", size: 1, decimals: 0, below: 10_000 },
  { unit: "K", size: 1e3, decimals: 1, below: 1000 },
  { unit: "M", size: 1e6, decimals: 1, below: 1000 },
  { unit: "G", size: 1e9, decimals: 1, below: Infinity },
];

const DURATION_TICKS = [
  { unit: "ns", size: 1 },
  { unit: "µs", size: 1e3 },
  { unit: "ms", size: 1e6 },
  { unit: "s", size: 1e9 },
];

const COUNT_TICKS = [
  { unit: "", size: 1 },
  { unit: "K", size: 1e3 },
  { unit: "M", size: 1e6 },
  { unit: "G", size: 1e9 },
];

/** Whether there is a number to write: a ratio of extremes may have become infinite. */
function known(value: number | null): value is number {
  return value !== null && Number.isFinite(value);
}

/** Puts a comma between every three digits of the whole part: `"1234.5"` is `"1,234.5"`. */
function groupDigits(digits: string): string {
  const [whole, ...rest] = digits.split(".");
  return [whole.replace(/\B(?=(\d{3})+$)/g, ","), ...rest].join(".");
}

/** `value` with a fixed number of decimals and grouped digits. */
function formatFixed(value: number, decimals: number): string {
  const text = value.toFixed(decimals);
  return groupDigits(Number(text) === 0 ? text.replace("-", "") : text);
}

/** The first step whose rounded text fits, so that 999.6 µs is never "1000 µs". */
function formatStepped(value: number, steps: Step[]): { text: string; unit: string } {
  const step =
    steps.find(({ size, decimals, below }) =>
      Math.abs(Number((value / size).toFixed(decimals))) < below
    ) ?? steps[steps.length - 1];
  return { text: formatFixed(value / step.size, step.decimals), unit: step.unit };
}

/** A time given in nanoseconds: `431 ns`, `37.9 µs`, `0.86 ms`, `1.2 s`. */
export function formatDuration(ns: number | null): string {
  if (!known(ns)) return DASH;
  const { text, unit } = formatStepped(ns, DURATION_STEPS);
  return `${text} ${unit}`;
}

/** A time given in nanoseconds as a number of milliseconds, for programs that read it. */
export function toMilliseconds(ns: number): number {
  return ns / 1e6;
}

/** A time given in milliseconds, written as {@linkcode formatDuration} writes it. */
export function formatMilliseconds(milliseconds: number | null): string {
  return formatDuration(known(milliseconds) ? milliseconds * 1e6 : null);
}

/** A time that passes, in nanoseconds, to the second: `0:07`, `12:30`, `1:02:03`. */
export function formatElapsed(ns: number): string {
  const seconds = Math.floor(ns / 1e9);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const parts = hours > 0 ? [hours, minutes, seconds % 60] : [minutes, seconds % 60];
  return parts.map((part, index) => index === 0 ? part : String(part).padStart(2, "0")).join(":");
}

/** Messages per second as a whole number: `1,151 msg/s`; under 10 with one decimal. */
export function formatRate(perSecond: number | null): string {
  if (!known(perSecond)) return DASH;
  const slow = perSecond > 0 && perSecond < 9.95;
  return `${formatFixed(perSecond, slow ? 1 : 0)} msg/s`;
}

/** Messages per second, short: `3.1M msg/s`. */
export function formatCompactRate(perSecond: number | null): string {
  if (!known(perSecond)) return DASH;
  const { text, unit } = formatStepped(perSecond, COMPACT_STEPS);
  return `${text}${unit} msg/s`;
}

/** How many times: `2,693x`, `1.5x`, `0.62x`. */
export function formatRatio(ratio: number | null): string {
  if (!known(ratio)) return DASH;
  const size = Math.abs(ratio);
  return `${formatFixed(ratio, size < 0.995 ? 2 : size < 9.95 ? 1 : 0)}x`;
}

/** A share from 0 to 1 as percent. Only what is everything is `100%`, only nothing is `0%`. */
export function formatPercent(share: number | null): string {
  if (!known(share)) return DASH;
  if (share === 0 || share === 1) return `${share * 100}%`;
  const percent = share * 100;
  if (percent > 0 && percent < 0.05) return "<0.1%";
  if (percent < 100 && percent >= 99.95) return ">99.9%";
  return `${formatFixed(percent, 1)}%`;
}

/** A size in bytes, in powers of 1024: `15.6 GiB`. */
export function formatBytes(bytes: number | null): string {
  if (!known(bytes)) return DASH;
  const { text, unit } = formatStepped(bytes, BYTE_STEPS);
  return `${text} ${unit}`;
}

/** A mark of an axis of times, in nanoseconds, without decimals that say nothing: `200 µs`, `1 ms`. */
export function formatDurationTick(ns: number): string {
  if (ns === 0) return "0";
  const { unit, size } = DURATION_TICKS.findLast(({ size }) => Math.abs(ns) >= size) ??
    DURATION_TICKS[0];
  return `${formatNumber(ns / size)} ${unit}`;
}

/** A mark of an axis of counts or rates, short: `200`, `1.5K`, `1M`. */
export function formatCountTick(count: number): string {
  const { unit, size } = COUNT_TICKS.findLast(({ size }) => Math.abs(count) >= size) ??
    COUNT_TICKS[0];
  return `${formatNumber(count / size)}${unit}`;
}

/** Bytes per second in powers of 1000: `0.92 MB/s`, `12.5 MB/s`, `1,007 MB/s`. */
export function formatByteRate(bytesPerSecond: number | null): string {
  if (!known(bytesPerSecond)) return DASH;
  const size = Math.abs(bytesPerSecond / 1e6);
  return `${formatFixed(bytesPerSecond / 1e6, size < 9.995 ? 2 : size < 99.95 ? 1 : 0)} MB/s`;
}

/** A count: `12,000`. */
export function formatCount(count: number | null): string {
  return known(count) ? formatFixed(count, 0) : DASH;
}

/** `1 call`, `12 calls`: a noun that takes an s. */
export function formatCounted(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** A number without a unit of its own: up to three decimals, and three digits of what is under 0.1. */
export function formatNumber(value: number | null): string {
  if (!known(value)) return DASH;
  const digits = Math.abs(value) < 0.1 ? value.toPrecision(3) : value.toFixed(3);
  return groupDigits(String(Number(digits)));
}

/** The value of a metric by the name of its unit, as report.json has it. */
export function formatQuantity(value: number | null, unit: string): string {
  if (!known(value)) return DASH;
  if (unit === "ns") return formatDuration(value);
  if (unit === "msg/s") return formatRate(value);
  if (unit === "ns/h") return known(value) ? `${formatDuration(value)}/h` : DASH;
  if (unit === "bytes") return formatBytes(value);
  if (unit === "bytes/s") return formatByteRate(value);
  if (unit === "connections") return `${formatNumber(Number(value.toFixed(1)))} ${unit}`;
  if (unit === "x" || unit === "ratio") return formatRatio(value);
  return ["", "1", "index"].includes(unit) ? formatNumber(value) : `${formatNumber(value)} ${unit}`;
}

/** An ISO 8601 time in UTC to the minute: `2025-10-26 17:10 UTC`; other text as it is. */
export function formatTimestamp(iso: string): string {
  const match = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)[\d:.]*Z$/.exec(iso);
  return match ? `${match[1]} ${match[2]} UTC` : iso;
}

/** A `[low, high]` interval in the unit of its metric: `1,102 msg/s to 1,198 msg/s`. */
export function formatInterval(interval: readonly [number, number] | null, unit: string): string {
  if (interval === null) return DASH;
  return interval.map((bound) => formatQuantity(bound, unit)).join(" to ");
}
