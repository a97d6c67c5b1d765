import { IS_BUNDLE } from "../start_worker.ts";

/** The one file, as a user calls it. */
const BUNDLE_CALL = ["deno", "run", "-A", "exai-ws-bench.js"];

/** The words that a command is called by: those of its task, or of the one file. */
export function invocation(command: string, isBundle = IS_BUNDLE): string[] {
  if (!isBundle) return ["deno", "task", command];
  return command === "bench" ? BUNDLE_CALL : [...BUNDLE_CALL, command];
}

/** Text for a user, with every `deno task` of the program's in it as it is called here. */
export function asInvoked(text: string, isBundle = IS_BUNDLE): string {
  if (!isBundle) return text;
  return text.replace(
    /\bdeno task (?!(?:test|ok|golden|bundle)\b)([a-z]+)(?![\w:])/g,
    (_, command) => invocation(command, true).join(" "),
  );
}

/** What deno.json says of the program's commands. */
interface Tasks {
  tasks: Readonly<Record<string, { command: string }>>;
  /** By name: all of a kind, or those named. */
  permissions: Readonly<Record<string, Readonly<Record<string, boolean | readonly string[]>>>>;
}

/** How to run each command of the one file with no more permissions than its task has, in place of `-A`. */
export function permissionsText({ tasks, permissions }: Tasks): string {
  return Object.values(tasks).flatMap(({ command }) => {
    const [, set, flags, name = ""] =
      /^deno run -q --no-prompt -P=(\w+)(.*) main\.ts( \w+)?$/.exec(command) ?? [];
    if (set === undefined) return [];
    const allowed = Object.entries(permissions[set]!).map(([kind, named]) =>
      `--allow-${kind}${named === true ? "" : `=${String(named)}`}`
    );
    return `${name.trim() || "bench"}:\n  deno run --no-prompt ${
      allowed.join(" ")
    }${flags} exai-ws-bench.js${name}\n`;
  }).join("\n");
}
