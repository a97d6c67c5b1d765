import type { Program } from "../../lib/cli/measure.ts";
import { SCENARIOS } from "../../scenarios/mod.ts";

/** A program that shows nothing, and collects what its commands print. */
export function silentProgram(): Program & { printed: string[] } {
  const printed: string[] = [];
  return {
    printed,
    scenarios: SCENARIOS,
    workerModule: new URL("../../scenarios/worker.ts", import.meta.url),
    suite: { name: "suite", version: "1" },
    project: new URL("../../", import.meta.url),
    interrupt: () => ({ signal: new AbortController().signal, exitCode: null }),
    terminal: {
      print: (text) => printed.push(text),
      printError() {},
      printWarning() {},
      printCommands() {},
      isLive: false,
      width: () => 80,
      style: () => ({ color: false, width: 100 }),
    },
  };
}
