/**
 * The commands that measure no server: each takes its arguments and gives back what to print.
 *
 * @module
 */

import { EXIT } from "../run/verdict.ts";
import type { Command } from "./command.ts";

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
  ["calibrate", async () => {
    const { renderCalibration, runCalibration } = await import("../calibrate/calibrate.ts");
    return { text: `${renderCalibration(await runCalibration())}\n`, exitCode: EXIT.passed };
  }],
]);
