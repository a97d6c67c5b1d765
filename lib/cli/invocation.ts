/**
 * How a command is called: by its task or as the one file, with which permissions, and without its secrets.
 *
 * @module
 */

import { foreignText, MASK } from "../client/foreign_text.ts";
import { maskUrl } from "../client/redact_url.ts";
import { isPlainName } from "../client/secrets.ts";
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
    ).join(" ");
    const call = `deno run --no-prompt ${allowed}${flags} exai-ws-bench.js${name}`;
    return `${name.trim() || "bench"}:\n  ${call}\n`;
  }).join("\n");
}

/** Options whose value is secret, or may be. */
export const SECRET_OPTIONS: ReadonlySet<string> = new Set([
  ...["--token", "--token-b", "--header", "--header-b", "--subprotocol"],
]);

/** What to show of the value of an option; `null`: all. */
function masked(option: string, value: string): string | null {
  if (["--url", "--a", "--b"].includes(option)) return maskUrl(value);
  if (!SECRET_OPTIONS.has(option)) return null;
  return option === "--subprotocol" && isPlainName(value, [value]) ? value : MASK;
}

/**
 * The arguments of a command without the values of secret options, without secret parts of URLs, and without
 * these tokens in what else there is.
 */
export function maskCommand(
  args: readonly string[],
  tokens: readonly (string | null)[] = [],
): string[] {
  // A short one may be an innocent value too.
  const long = tokens.flatMap((token) => token !== null && token.length >= 6 ? token : []);
  const foreign = foreignText(long);
  return args.map((arg, index) => {
    const after = masked(args[index - 1] ?? "", arg);
    if (after !== null) return after;
    const [option = ""] = arg.split("=", 1);
    if (option === arg) return arg.startsWith("--") ? arg : foreign(arg, Infinity);
    const joined = masked(option, arg.slice(option.length + 1));
    return joined === null ? foreign(arg, Infinity) : `${option}=${joined}`;
  });
}
