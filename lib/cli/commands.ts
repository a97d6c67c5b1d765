/**
 * The commands that measure no server: each takes its arguments and gives back what to print.
 *
 * @module
 */

import { EXIT } from "../run/verdict.ts";
import type { Command } from "./command.ts";
import { asksForHelp, parseSettings } from "./parse.ts";

const CALIBRATE_USAGE = `Usage: deno task calibrate

Measures what the suite itself costs: each step of a call, and its loop against a bare one. Takes up to a minute,
and no options.
`;

/** The commands by name; each loads what it needs only when it is called. */
export const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ["compare", async (args, context) => {
    const { runCompare } = await import("./compare_command.ts");
    return await runCompare(args, context);
  }],
  ["merge", async (args, context) => {
    const { runMerge } = await import("./merge_command.ts");
    return await runMerge(args, context);
  }],
  ["report", async (args, context) => {
    const { runReport } = await import("./report_command.ts");
    return await runReport(args, context);
  }],
  ["calibrate", async (args) => {
    if (asksForHelp(args)) return { text: CALIBRATE_USAGE, exitCode: EXIT.passed };
    parseSettings(args, {}, { options: new Map(), positionals: [] });
    const { renderCalibration, runCalibration } = await import("../calibrate/calibrate.ts");
    return { text: `${renderCalibration(await runCalibration())}\n`, exitCode: EXIT.passed };
  }],
]);
