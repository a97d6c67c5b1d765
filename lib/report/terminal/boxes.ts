/**
 * The times of scenarios side by side, as mitata draws boxes.
 *
 * @module
 */

import type { Distribution, ScenarioReport } from "../../schema.ts";
import { LatencyHistogram } from "../../stats/histogram.ts";
import { percentileOrNull } from "../../stats/percentiles.ts";
import {
  BOX_FRAME_WIDTH,
  type BoxRow,
  MINIMUM_BOX_WIDTH,
  renderBoxplot,
} from "../../stats/terminal_plots.ts";
import { escapeTerminal } from "../escape.ts";
import { mainDistribution } from "../scenario_names.ts";
import { formatDuration } from "../units.ts";
import { paint, wrap } from "./text.ts";

/** Wider boxes show nothing more. */
const WIDEST_BOX = 64;

/** A scenario that has a box. */
interface Box {
  name: string;
  row: BoxRow;
  /** Where its upper whisker ends. */
  end: WhiskerEnd;
}

type WhiskerEnd = "P99" | "P95" | "P90" | "P75";

/**
 * A box for each scenario whose times have a median and quartiles, on one logarithmic scale, and what the
 * boxes show; no line where there is nothing to draw.
 *
 * @param width at least 40 columns
 */
export function boxLines(
  scenarios: readonly ScenarioReport[],
  { color, width }: { color: boolean; width: number },
): string[] {
  const boxes = scenarios.flatMap((scenario) => boxOf(scenario) ?? []);
  const values = boxes.flatMap(({ row }) => [row.min, row.p99]);
  if (boxes.length === 0 || Math.min(...values) >= Math.max(...values)) return [];
  const longest = Math.max(...boxes.map(({ name }) => [...name].length));
  const room = width - BOX_FRAME_WIDTH;
  const named = longest + MINIMUM_BOX_WIDTH <= room;
  const keys = boxes.map(({ name }, index) => named ? name : String(index + 1));
  const keyWidth = Math.max(...keys.map((key) => [...key].length));
  const plot = renderBoxplot(
    Object.fromEntries(boxes.map(({ row }, index) => [keys[index]!, row])),
    {
      width: Math.min(WIDEST_BOX, room - keyWidth),
      colors: color,
      scale: "log",
      format: formatDuration,
    },
  );
  const names = named ? [] : boxes.map(({ name }, index) => `${keys[index]} ${name}`);
  return [...plot, ...[...names, ...legend(boxes)].flatMap((text) => wrap(text, width))]
    .map((line, index) => index < plot.length ? line : paint(line, "dim", color));
}

/** What the boxes show; where a scenario has too few samples for P99, it is said. */
function legend(boxes: readonly Box[]): string[] {
  const shorter = boxes.filter(({ end }) => end !== "P99");
  return [
    "From the fastest to P99, the middle half boxed, with the median; logarithmic scale.",
    ...(shorter.length === 0 ? [] : [
      `Too few samples for P99: ${shorter.map(({ name, end }) => `${name} to ${end}`).join(", ")}.`,
    ]),
  ];
}

function boxOf(scenario: ScenarioReport): Box | null {
  const times = mainDistribution(scenario);
  // The layers of a call are no times of a server.
  if (times === undefined || times.name.startsWith("layer.")) return null;
  const p25 = firstQuartile(times);
  if (p25 === null || times.p75 === null) return null;
  const { min, p50, p75, p90, p95, p99 } = times;
  const ends: [WhiskerEnd, number | null][] = [["P99", p99], ["P95", p95], ["P90", p90]];
  const [end, whisker] = ends.find(([, value]) => value !== null) ?? ["P75", p75];
  return {
    name: escapeTerminal(scenario.name),
    // The mark is the median: the mean of a long tail lies outside of its box.
    row: { min, p25, avg: p50, p75, p99: whisker ?? p75 },
    end,
  };
}

/** In nanoseconds; `null` where it has too few samples, or the histogram cannot be read. */
function firstQuartile(times: Distribution): number | null {
  try {
    using histogram = LatencyHistogram.decode(times.histogram, times);
    // It needs as many samples under it as P75 needs above.
    return percentileOrNull(histogram, 75) === null ? null : histogram.percentile(25);
  } catch {
    return null;
  }
}
