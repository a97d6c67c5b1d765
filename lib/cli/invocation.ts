import { foreignText, MASK } from "../client/foreign_text.ts";
import { maskUrl } from "../client/redact_url.ts";
import { isPlainName } from "../client/secrets.ts";
import { IS_BUNDLE } from "../start_worker.ts";

/** How a user calls the bundle. */
const BUNDLE_CALL = ["deno", "run", "-A", "exai-ws-bench.js"];

/** The words that call a command, as a task or through the bundle. */
export function invocation(command: string, isBundle = IS_BUNDLE): string[] {
  if (!isBundle) return ["deno", "task", command];
  return command === "bench" ? BUNDLE_CALL : [...BUNDLE_CALL, command];
}

/** In the bundle, replaces every `deno task COMMAND` in a text by the call that works here. */
export function asInvoked(text: string, isBundle = IS_BUNDLE): string {
  if (!isBundle) return text;
  return text.replace(
    /\bdeno task (?!(?:test|ok|golden|bundle)\b)([a-z]+)(?![\w:])/g,
    (_, command) => invocation(command, true).join(" "),
  );
}

/**
 * Keeps GitHub Actions from taking a server's text for a command: it looks for `::` at the start of
 * a line, after white space, and for `##[` anywhere.
 */
export function defuseCommands(text: string): string {
  return text.replace(/^([\s\u0085]*):(?=:)/gm, "$1: ").replaceAll("##[", "## [");
}

/** The parts of deno.json that define the commands. */
interface Tasks {
  tasks: Readonly<Record<string, { command: string }>>;
  /** By the name of the set, then by kind: `true` for all, or a list of names. */
  permissions: Readonly<Record<string, Readonly<Record<string, boolean | readonly string[]>>>>;
}

/** How to run each command of the bundle with only the permissions of its task, instead of `-A`. */
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

/** Options whose value is, or could be, secret. */
export const SECRET_OPTIONS: ReadonlySet<string> = new Set([
  ...["--token", "--token-b", "--header", "--header-b", "--subprotocol"],
]);

/** The masked value of an option; `null` if it needs no mask. */
function masked(option: string, value: string): string | null {
  if (["--url", "--a", "--b"].includes(option)) return maskUrl(value);
  if (!SECRET_OPTIONS.has(option)) return null;
  return option === "--subprotocol" && isPlainName(value, [value]) ? value : MASK;
}

/**
 * Masks the values of secret options, the secret parts of URLs, and these tokens wherever else they
 * occur in the arguments.
 */
export function maskCommand(
  args: readonly string[],
  tokens: readonly (string | null)[] = [],
): string[] {
  // A short token could also be a harmless value.
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
