/**
 * The commands that measure no server: each takes its arguments and gives back what to print.
 *
 * @module
 */

import { EXIT } from "../run/verdict.ts";

/** Where a command was called, and what it prints on. */
export interface CommandContext {
  directory: string;
  color: boolean;
  width: number;
}

/** What a command prints, and how it ends. */
export interface Outcome {
  text: string;
  exitCode: number;
}

type Command = (args: readonly string[], context: CommandContext) => Promise<Outcome>;

/** The commands by name; each loads what it needs only when it is called. */
export const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ["compare", async (args, context) => {
    const { runCompare } = await import("./report_commands.ts");
    return await runCompare(args, context);
  }],
  ["merge", async (args, context) => {
    const { runMerge } = await import("./merge_command.ts");
    return await runMerge(args, context);
  }],
  ["report", async (args, context) => {
    const { runReport } = await import("./report_commands.ts");
    return await runReport(args, context);
  }],
  ["power", async () => {
    const { powerTableMarkdown } = await import("../stats/power.ts");
    return { text: `${powerTableMarkdown()}\n`, exitCode: EXIT.passed };
  }],
  ["calibrate", async () => {
    const { runCalibration } = await import("../calibrate/calibrate.ts");
    const { renderCalibration } = await import("../calibrate/render.ts");
    return { text: `${renderCalibration(await runCalibration())}\n`, exitCode: EXIT.passed };
  }],
]);
