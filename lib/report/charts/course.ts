import type { ScenarioReport, SeriesPoint } from "../../schema.ts";
import { silentIntervals } from "../../stats/silences.ts";
import { capitalise } from "../quantities.ts";
import { formatDuration, formatDurationTick } from "../units.ts";
import { countAxis, linearScale, timeAxis, wideScale } from "./axes.ts";
import { bands, line, type Point } from "./marks.ts";
import { distributionsOf, nameText, type Plan } from "./plan.ts";
import { COLORS } from "./theme.ts";

const FEWEST = 3;

/** The plan of a scenario's first time series; `null` if it has none, or several epochs. */
export function coursePlan(scenario: ScenarioReport): Plan | null {
  if ((scenario.measured?.epochs.length ?? 1) > 1) return null;
  const distribution = distributionsOf(scenario).find(({ series }) => series.length >= FEWEST);
  if (distribution === undefined) return null;
  const series = distribution.series.toSorted((a, b) => a.atMs - b.atMs);
  const widths = series.slice(1).map(({ atMs }, nth) => atMs - series[nth]!.atMs);
  const widthMs = Math.min(...widths.filter((width) => width > 0), 3_600_000);
  const silences = silentIntervals(series, widthMs);
  const title = slowestText(series) + silenceText(silences);
  const resolution = formatDurationTick(widthMs * 1e6);
  const curve = (name: string, color: string, value: (point: SeriesPoint) => number | null) =>
    line(
      name,
      series.map((point): Point => [(point.atMs + widthMs / 2) * 1e6, value(point)]),
      { color, width: name === "slowest call" ? 1.2 : 2 },
    );
  const red = silences.length === 0 ? {} : { markArea: bands(silences, COLORS.red) };
  // The last interval may be cut short.
  const rate = (point: SeriesPoint) => point === series.at(-1) ? null : point.count / widthMs * 1e3;
  const x = timeAxis(linearScale([(series.at(-1)!.atMs + widthMs) * 1e6]));
  const hasP99 = series.some(({ p99 }) => p99 !== null);
  return {
    title,
    alt: `${title}. Median, ${hasP99 ? "p99, " : ""}slowest call and replies, ${resolution} apart`,
    panels: [{
      caption: capitalise(nameText(distribution.name)) +
        (silences.length === 0 ? "" : "; red: no reply"),
      x,
      y: timeAxis(wideScale(series.flatMap(({ p50, p99, max }) => [p50, p99, max]))),
      height: 170,
      series: [
        { ...curve("slowest call", COLORS.orange, ({ max }) => max), ...red },
        ...hasP99 ? [curve("p99", COLORS.purple, ({ p99 }) => p99)] : [],
        curve("median", COLORS.blue, ({ p50 }) => p50),
      ],
    }, {
      caption: "Replies, msg/s",
      x: { ...x, name: "Time since the first call" },
      y: countAxis(linearScale(series.map(rate))),
      height: 90,
      series: [{ ...curve("replies", COLORS.teal, rate), ...red }],
    }],
  };
}

function slowestText(series: readonly SeriesPoint[]): string {
  const { atMs, max } = series.reduce((a, b) => (b.max ?? 0) > (a.max ?? 0) ? b : a);
  const when = atMs === 0 ? "at the start" : `after ${formatDurationTick(atMs * 1e6)}`;
  return `The slowest call took ${formatDuration(max)}, ${when}`;
}

function silenceText(silences: readonly [number, number][]): string {
  const longest = Math.max(0, ...silences.map(([from, to]) => to - from));
  return longest === 0 ? "" : `; no reply for ${formatDuration(longest)}`;
}
