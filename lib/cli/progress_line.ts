import { paint, type Style } from "../report/render/terminal.ts";
import { formatCounted, formatDuration, formatRate } from "../report/units.ts";
import type { LiveFigures } from "../run/live.ts";

export interface LineFigures extends LiveFigures {
  /** The stage of the run, and what is being measured. */
  place: string;
  /** Epochs done, including a fraction of the current one. */
  done: number;
  total: number;
  /** Time remaining for the epochs; `null`: not known yet. */
  leftNs: number | null;
  /** The current rate of calls served; `null`: not known yet. */
  ratePerSecond: number | null;
}

interface Part {
  text: string;
  /** In a narrow window, parts with a low weight are dropped first. */
  weight: number;
  style?: Style;
}

const BAR_WIDTH = 12;
/** Columns reserved for the figures, and the minimum left for the place. */
const FIGURES_WIDTH = 28;
const SHORTEST_NAME = 8;
const GAP = "  ";

/**
 * Formats a line that fits a window of `width` columns: parts are dropped by weight, and a single
 * part that is still too long is cut. The last column stays free, as some terminals wrap there.
 */
export function progressLine(
  figures: LineFigures,
  { width, color }: { width: number; color: boolean },
): string {
  const room = Math.max(0, width - 1);
  let parts = partsOf(figures, Math.max(SHORTEST_NAME, room - FIGURES_WIDTH));
  while (parts.length > 1 && lengthOf(parts) > room) {
    const least = Math.min(...parts.map(({ weight }) => weight));
    parts = parts.filter(({ weight }) => weight !== least);
  }
  if (lengthOf(parts) > room) return [...parts[0]!.text].slice(0, room).join("");
  return parts.map(({ text, style }) => style === undefined ? text : paint(text, style, color))
    .join(GAP);
}

function partsOf(
  { place, done, total, elapsedNs, leftNs, ok, errors, ratePerSecond, times }: LineFigures,
  nameWidth: number,
): Part[] {
  const filled = Math.round(BAR_WIDTH * Math.min(1, done / Math.max(1, total)));
  const name = place.length <= nameWidth ? place : `${place.slice(0, nameWidth - 1)}…`;
  const parts: Part[] = [
    { text: name, weight: 9 },
    { text: "█".repeat(filled) + "░".repeat(BAR_WIDTH - filled), weight: 1 },
    { text: formatElapsed(elapsedNs), weight: 7, style: "dim" },
  ];
  if (leftNs !== null) {
    parts.push({ text: `${formatElapsed(leftNs)} left`, weight: 4, style: "dim" });
  }
  // Not every scenario makes calls.
  if (ok + errors > 0) parts.push({ text: formatRate(ratePerSecond), weight: 6 });
  if (times !== null) {
    const label = times.name === "latency" ? "" : `${times.name} `;
    parts.push({ text: `${label}p50 ${formatDuration(times.p50Ns)}`, weight: 5 });
    parts.push({ text: `p99 ${formatDuration(times.p99Ns)}`, weight: 3 });
  }
  const [weight, style] = errors > 0 ? [8, "red"] as const : [2, "dim"] as const;
  return [...parts, { text: formatCounted(errors, "error"), weight, style }];
}

function lengthOf(parts: readonly Part[]): number {
  return [...parts.map(({ text }) => text).join(GAP)].length;
}

/** Formats nanoseconds to the second: `0:07`, `12:30`, `1:02:03`. */
export function formatElapsed(ns: number): string {
  const seconds = Math.floor(ns / 1e9);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const parts = hours > 0 ? [hours, minutes, seconds % 60] : [minutes, seconds % 60];
  return parts.map((part, index) => index === 0 ? part : String(part).padStart(2, "0")).join(":");
}
