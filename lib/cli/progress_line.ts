import { paint, type Style } from "../report/render/terminal.ts";
import { formatCounted, formatDuration, formatRate } from "../report/units.ts";
import type { LiveFigures, LiveTimes } from "../run/live.ts";

/** What the line says. */
export interface LineFigures extends LiveFigures {
  /** The stage of the run, and what is measured. */
  place: string;
  /** Of the run, in epochs. */
  done: number;
  total: number;
  /** How long the epochs will still take; `null`: not known yet. */
  leftNs: number | null;
  /** Calls served per second at present; `null`: not known yet. */
  ratePerSecond: number | null;
}

/** A part of the line. */
interface Part {
  text: string;
  /** The higher, the longer it stays where the window is narrow. */
  weight: number;
  style?: Style;
}

const BAR_WIDTH = 12;
/** What a narrow window keeps free of the place, and what the place keeps all the same. */
const FIGURES_WIDTH = 28;
const SHORTEST_NAME = 8;
const GAP = "  ";

/**
 * One line that fits a window: parts that have no room are left out, the least telling first, and what is
 * then still too long is cut. It leaves the last column free, since some terminals break the line there.
 *
 * @param width the columns of the window
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

function partsOf(figures: LineFigures, nameWidth: number): Part[] {
  const { place, done, total, elapsedNs, leftNs, errors } = figures;
  return [
    { text: shorten(place, nameWidth), weight: 9 },
    { text: bar(done, total), weight: 1 },
    { text: formatElapsed(elapsedNs), weight: 7, style: "dim" },
    ...(leftNs === null
      ? []
      : [{ text: `${formatElapsed(leftNs)} left`, weight: 4, style: "dim" } as const]),
    ...ratePart(figures),
    ...timesParts(figures.times),
    {
      text: formatCounted(errors, "error"),
      weight: errors > 0 ? 8 : 2,
      style: errors > 0 ? "red" : "dim",
    },
  ];
}

/** None where nothing has been called yet, as not every scenario calls. */
function ratePart({ ok, errors, ratePerSecond }: LineFigures): Part[] {
  return ok + errors === 0 ? [] : [{ text: formatRate(ratePerSecond), weight: 6 }];
}

/** Times of other metrics than the calls' latency are named. */
function timesParts(times: LiveTimes | null): Part[] {
  if (times === null) return [];
  const { name, p50Ns, p99Ns } = times;
  const label = name === "latency" ? "" : `${name} `;
  return [
    { text: `${label}p50 ${formatDuration(p50Ns)}`, weight: 5 },
    { text: `p99 ${formatDuration(p99Ns)}`, weight: 3 },
  ];
}

function bar(done: number, total: number): string {
  const filled = Math.round(BAR_WIDTH * Math.min(1, done / Math.max(1, total)));
  return "█".repeat(filled) + "░".repeat(BAR_WIDTH - filled);
}

function shorten(name: string, width: number): string {
  return name.length <= width ? name : `${name.slice(0, width - 1)}…`;
}

function lengthOf(parts: readonly Part[]): number {
  return [...parts.map(({ text }) => text).join(GAP)].length;
}

/** A time that passes, in nanoseconds, to the second: `0:07`, `12:30`, `1:02:03`. */
export function formatElapsed(ns: number): string {
  const seconds = Math.floor(ns / 1e9);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const parts = hours > 0 ? [hours, minutes, seconds % 60] : [minutes, seconds % 60];
  return parts.map((part, index) => index === 0 ? part : String(part).padStart(2, "0")).join(":");
}
