import { EXIT } from "../run/verdict.ts";
import { grammarOf, type Outcome, parseSettings } from "./command_line.ts";
import { optionsNamed } from "./options.ts";

/** What it takes. */
export const CALIBRATE = grammarOf(
  `Usage: deno task calibrate

Measures what the suite itself costs: each step of a call, and its loop against a bare one. Takes up to a minute.`,
  optionsNamed("help"),
);

/**
 * `calibrate`: what the suite itself costs, as tables.
 *
 * @throws {UsageError} if there is an argument
 */
export async function runCalibrate(args: readonly string[]): Promise<Outcome> {
  parseSettings(args, {}, CALIBRATE);
  // Loads what no other command needs.
  const { renderCalibration, runCalibration } = await import("../calibrate/calibrate.ts");
  return { text: `${renderCalibration(await runCalibration())}\n`, exitCode: EXIT.passed };
}
