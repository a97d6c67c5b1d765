/**
 * Finds the task calls in documents and checks that the commands accept them.
 *
 * @module
 */

import { AB_USAGE } from "../../lib/cli/ab_command.ts";
import { SCENARIOS } from "../../scenarios/mod.ts";
import { configOf } from "./config_of.ts";

const VOCABULARY = Object.fromEntries(SCENARIOS.map(({ name, metrics }) => [name, metrics]));
/** Options whose values are the reader's files. */
const FILES = ["baseline", "ca-cert", "heavy-tools", "inject", "workload"];
const SIDES = ["a", "b", "start-a", "start-b", "token-b", "header-b"];

/** The arguments of every call of a task in a script, as a shell would split them. */
export function callsOf(script: string, task: string): string[][] {
  const joined = script.replace(/\\\n\s*/g, " ");
  return joined.split(/\n|&&(?! ')|;(?=\s)/).flatMap((line) => {
    const [, rest] = new RegExp(`\\bdeno(?:@\\S+)? task ${task}(?![\\w:-])(.*)$`).exec(line) ?? [];
    return rest === undefined ? [] : [splitWords(rest)];
  });
}

/** Words of a command line without quotes, up to a comment, pipe or redirection. */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  for (const [word] of text.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)) {
    if (/^(#|\||>|2>|&$)/.test(word)) break;
    words.push(word.replace(/'([^']*)'|"([^"]*)"/g, (_, single, double) => single ?? double));
  }
  return words;
}

/** The value of an option in a call; `null` if it is not given. */
export function optionOf(args: readonly string[], name: string): string | null {
  const at = args.indexOf(`--${name}`);
  return at < 0 ? null : args[at + 1] ?? null;
}

/**
 * Reads a call of bench as the program would, without the reader's files, with variables filled in.
 *
 * @throws {UsageError} if bench would reject it
 */
export async function checkBenchCall(args: readonly string[]): Promise<void> {
  const start = String(Math.round(Date.now() / 1000) + 60);
  const words = without(args, FILES)
    .map((word) => word.replace(/\$SERVER\b/, "ws://127.0.0.1:8079").replace(/\$START\b/, start));
  const at = words.indexOf("--tool-args");
  if (at >= 0 && words[at + 1]?.startsWith("@")) words[at + 1] = "{}";
  const env = words.includes("mcp") || words.includes("--shard") || words.includes("phase3")
    ? { EXAI_WS_URL: "ws://127.0.0.1:8079" }
    : {};
  await configOf(words, { env, directory: "/", vocabulary: VOCABULARY });
}

/**
 * Reads a call of ab as the program would, except for the servers.
 *
 * @throws {Error} if ab would reject it
 */
export async function checkAbCall(args: readonly string[]): Promise<void> {
  const known = new Set([...AB_USAGE.matchAll(/^ {2}--([a-z-]+)/gm)].map(([, name]) => name!));
  for (const word of args.filter((word) => word.startsWith("--"))) {
    const name = word.slice(2).split("=")[0]!;
    if (!known.has(name)) throw new Error(`ab has no option --${name}`);
  }
  const isPair = (one: string, other: string) => args.includes(one) && args.includes(other);
  if (!isPair("--a", "--b") && !isPair("--start-a", "--start-b")) {
    throw new Error(`ab needs two servers: ${args.join(" ")}`);
  }
  await checkBenchCall(without(args, SIDES));
}

function without(args: readonly string[], names: readonly string[]): string[] {
  return args.filter((word, index) => {
    const isOption = (one = "") => names.includes(one.replace(/^--/, "")) && one.startsWith("--");
    return !isOption(word) && !isOption(args[index - 1]);
  });
}
