/**
 * What the suite itself costs: each step of a call, and whole turns of its closed loop.
 *
 * @module
 */

import type { Report } from "../schema.ts";
import { readEnvironment } from "../run/environment.ts";
import { startNullServer } from "../server/null_server.ts";
import { sampleBatched } from "../stats/sampling.ts";
import { measureParts, type PartCost, type Sampler } from "./parts.ts";
import { compareTurns, type LoopShape, type TurnComparison } from "./turns.ts";

/** What the suite costs on this machine. */
export interface Calibration {
  environment: Report["environment"];
  parts: PartCost[];
  turns: TurnComparison[];
}

export interface CalibrationOptions {
  /** Takes the samples of the parts. */
  sample?: Sampler;
  /** Rounds of each turn, after one that is discarded. */
  rounds?: number;
  /** Of each loop in each round, in milliseconds. */
  roundMs?: number;
  /** Hears of what is measured next. */
  onStep?: (what: string) => void;
}

/** One client that waits for each reply, and the load that the closed loop is held to. */
const SHAPES: readonly LoopShape[] = [
  { connections: 1, inFlight: 1 },
  { connections: 10, inFlight: 8 },
];

/**
 * Measures it all, by default in about 20 s: the parts in mitata's batches, the turns in ten rounds of
 * 0.3 s a loop.
 *
 * @throws {Error} if the null server cannot be started
 */
export async function runCalibration(options: CalibrationOptions = {}): Promise<Calibration> {
  const { sample = sampleBatched, rounds = 10, roundMs = 300, onStep = () => {} } = options;
  onStep("the steps of a call");
  const parts = await measureParts(sample);
  await using server = await startNullServer();
  const turns: TurnComparison[] = [];
  for (const shape of SHAPES) {
    onStep(`whole turns, ${shape.connections} x ${shape.inFlight} calls in flight`);
    turns.push(await compareTurns(server.url, { shape, rounds, roundMs }));
  }
  return { environment: readEnvironment(), parts, turns };
}
