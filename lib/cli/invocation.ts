import { IS_BUNDLE } from "../start_worker.ts";

/** The one file, as a user calls it. */
const BUNDLE_CALL = ["deno", "run", "-A", "exai-ws-bench.js"];

/** The words that a command is called by: those of its task, or of the one file. */
export function invocation(command: string, isBundle = IS_BUNDLE): string[] {
  if (!isBundle) return ["deno", "task", command];
  return command === "bench" ? BUNDLE_CALL : [...BUNDLE_CALL, command];
}

/** Text for a user, with every `deno task` of ours in it as it is called here. */
export function asInvoked(text: string, isBundle = IS_BUNDLE): string {
  if (!isBundle) return text;
  return text.replace(
    /\bdeno task (bench|ab|serve|report|compare|merge|calibrate)\b/g,
    (_, command) => invocation(command, true).join(" "),
  );
}

/** Permissions by kind, as a set of deno.json has them: all of a kind, or those named. */
type PermissionSet = Readonly<Record<string, boolean | readonly string[]>>;

/** Which commands need the same, and whose set of deno.json that is. */
const COMMANDS_OF_SET = {
  bench: ["bench", "calibrate"],
  ab: ["ab"],
  serve: ["serve"],
  report: ["report", "compare", "merge"],
} as const;

/** How to run the one file with no more permissions than each command needs, in place of `-A`. */
export function permissionsText(
  sets: Readonly<Record<keyof typeof COMMANDS_OF_SET, PermissionSet>>,
): string {
  return Object.entries(COMMANDS_OF_SET).map(([set, commands]) => {
    const flags = Object.entries(sets[set as keyof typeof COMMANDS_OF_SET]).map(([kind, allowed]) =>
      `--allow-${kind}${Array.isArray(allowed) ? `=${allowed.join(",")}` : ""}`
    );
    return `${commands.join(", ")}:\n  deno run --no-prompt ${flags.join(" ")} exai-ws-bench.js${
      set === "bench" ? "" : ` ${commands.length === 1 ? set : "COMMAND"}`
    }\n`;
  }).join("\n");
}
