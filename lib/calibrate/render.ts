/**
 * The figures of a calibration as markdown.
 *
 * @module
 */

import { escapeMarkdown } from "../report/escape.ts";
import { right, stack, table } from "../report/markdown/blocks.ts";
import { DASH, formatCount, formatDuration, formatRate, formatRatio } from "../report/units.ts";
import { bootstrapInterval } from "../stats/bootstrap.ts";
import { median } from "../stats/rounds.ts";
import type { Calibration } from "./calibrate.ts";
import type { PartCost } from "./parts.ts";
import type { TurnComparison } from "./turns.ts";

/** Any: the same figures give the same table. */
const SEED = 1;

/** Two tables, steps and turns, and the machine that they are from. */
export function renderCalibration({ environment, parts, turns }: Calibration): string {
  const { cpuModel, cpuCount, deno, v8, mitata } = environment;
  return stack([
    `On ${escapeMarkdown(cpuModel)}, ${
      formatCount(cpuCount)
    } cores, with Deno ${deno} (V8 ${v8}) ` +
    `and mitata ${mitata}.`,
    partsTable(parts),
    turnsTable(turns),
  ]);
}

/** What a call costs in these steps together, in nanoseconds. */
export function costOfCallNs(parts: readonly PartCost[]): number {
  return parts.reduce((sum, { medianNs, timesACall }) => sum + medianNs * timesACall, 0);
}

function partsTable(parts: readonly PartCost[]): string {
  const rows = parts.map(({ name, medianNs, fastestNs, p99Ns, timesACall }) => [
    name,
    formatDuration(medianNs),
    formatDuration(fastestNs),
    formatDuration(p99Ns),
    formatCount(1e9 / medianNs),
    timesACall === 0 ? DASH : String(timesACall),
    timesACall === 0 ? DASH : formatDuration(medianNs * timesACall),
  ]);
  const total = ["all steps of a call", "", "", "", "", "", formatDuration(costOfCallNs(parts))];
  return table([
    "Step",
    right("Median"),
    right("Fastest batch"),
    right("P99 of batches"),
    right("A second"),
    right("Times a call"),
    right("A call"),
  ], [...rows, total]);
}

/** How much of the bare loop's rate the suite reaches, round by round in pairs. */
export function shareOfBare(
  { connections, inFlight, suite, bare }: TurnComparison,
): { ratio: number; ci95: [number, number] | null } {
  const ratios = suite.map((rate, round) => rate / bare[round]!);
  const label = `${connections} x ${inFlight}`;
  return {
    ratio: median(ratios),
    ci95: bootstrapInterval(ratios, { statistic: median, seed: SEED, label }),
  };
}

function turnsTable(turns: readonly TurnComparison[]): string {
  const rows = turns.map((turn) => {
    const { ratio, ci95 } = shareOfBare(turn);
    const rates = [median(turn.suite), median(turn.bare)];
    return [
      `${turn.connections} x ${turn.inFlight}`,
      ...rates.map(formatRate),
      ...rates.map((rate) => formatDuration(1e9 / rate)),
      formatRatio(ratio),
      ci95 === null ? DASH : ci95.map(formatRatio).join(" to "),
    ];
  });
  return table([
    "Connections x in flight",
    right("Suite"),
    right("Bare loop"),
    right("Suite, a call"),
    right("Bare loop, a call"),
    right("Suite / bare loop"),
    right("95 % interval"),
  ], rows);
}
