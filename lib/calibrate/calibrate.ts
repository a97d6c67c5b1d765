/**
 * Measures the overhead of the suite: each step of a call, and whole turns of its closed loop.
 *
 * @module
 */

import { type Block, foreign, left, pageSection, paragraph, prose } from "../report/document.ts";
import { right, table } from "../report/document.ts";
import { renderMarkdown } from "../report/render/markdown.ts";
import { DASH, formatCount, formatDuration, formatRate } from "../report/units.ts";
import { readEnvironment } from "../run/environment.ts";
import type { Report } from "../schema.ts";
import { startNullServer } from "../server/null_server.ts";
import { estimate } from "../stats/estimate.ts";
import { sampleBatched } from "../stats/sampling.ts";
import { measureParts, type PartCost, type Sampler } from "./parts.ts";
import { compareTurns, type LoopShape, type TurnComparison } from "./turns.ts";

/** The suite's overhead on this machine. */
export interface Calibration {
  environment: Omit<Report["environment"], "cpuPressure">;
  parts: PartCost[];
  turns: TurnComparison[];
}

/** One client that waits for each reply, and the load that the closed loop's target is set for. */
const SHAPES: readonly LoopShape[] = [
  { connections: 1, inFlight: 1 },
  { connections: 10, inFlight: 8 },
];

/**
 * Measures everything, by default in about 25 s: the parts in mitata's batches, the turns in 60
 * rounds of 0.1 s per loop. Rounds are short because a machine varies more within a second than the
 * two loops differ.
 *
 * @throws {Error} if the null server cannot be started
 */
export async function runCalibration(
  { sample = sampleBatched as Sampler, rounds = 60, roundMs = 100 } = {},
): Promise<Calibration> {
  const parts = await measureParts(sample);
  await using server = await startNullServer();
  const { url } = server;
  const turns = await Array.fromAsync(
    SHAPES,
    (shape) => compareTurns(url, { shape, rounds, roundMs }),
  );
  return { environment: readEnvironment(), parts, turns };
}

/** Renders the machine and the tables of steps and turns as markdown. */
export function renderCalibration({ environment, parts, turns }: Calibration): string {
  const { cpuModel, cpuCount, deno, v8 } = environment;
  const machine = paragraph(
    prose`On ${foreign(cpuModel)}, ${formatCount(cpuCount)} cores, with Deno ${deno} (V8 ${v8}).`,
  );
  const section = pageSection("cost", "", machine, partsTable(parts), turnsTable(turns));
  const document = { title: "", sections: [section] };
  return renderMarkdown(document, { chartPath: () => null, titleLevel: 0 }).trimEnd();
}

function partsTable(parts: readonly PartCost[]): Block {
  const rows = parts.map(({ name, medianNs, timesACall }) => [
    name,
    formatDuration(medianNs),
    timesACall === 0 ? DASH : String(timesACall),
    timesACall === 0 ? DASH : formatDuration(medianNs * timesACall),
  ]);
  const totalNs = parts.reduce((sum, { medianNs, timesACall }) => sum + medianNs * timesACall, 0);
  return table(
    "What each step of a call costs",
    [left("Step"), right("Median"), right("Times per call"), right("Per call")],
    [...rows, ["all steps of a call", "", "", formatDuration(totalNs)]],
  );
}

function turnsTable(turns: readonly TurnComparison[]): Block {
  const rows = turns.map(({ connections, inFlight, suite, bare, ratio }) => {
    const rates = [suite, bare].map((rounds) => estimate(rounds).value);
    return [
      `${connections} x ${inFlight}`,
      ...rates.map(formatRate),
      ...rates.map((rate) => formatDuration(1e9 / rate)),
      ratio.mean.toFixed(3),
      ratio.interval.map((bound) => bound.toFixed(3)).join(" to "),
      ratio.spread.toFixed(2),
    ];
  });
  return table("The closed loop against a bare loop", [
    left("Connections x in flight"),
    right("Suite"),
    right("Bare loop"),
    right("Suite, per call"),
    right("Bare loop, per call"),
    right("Suite / bare loop"),
    right("95 % interval"),
    right("Spread of rounds (factor)"),
  ], rows);
}
