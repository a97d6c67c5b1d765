/**
 * Parses command lines. Each option is declared by its line in a help text; readers turn what was
 * given into values.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { maskUrl } from "../client/redact_url.ts";
import type { ThresholdVocabulary } from "../stats/thresholds.ts";
import { SECRET_OPTIONS } from "./invocation.ts";
import { closestTo, type Given, quoted, UsageError } from "./usage_error.ts";

/** An option, declared by a line of a help text: `--name VALUE  help [VARIABLE]`. */
export interface OptionSpec {
  name: string;
  /** The placeholder of its value; empty for a flag. */
  value: string;
  /** The environment variable that is read if the option is absent. */
  env?: string;
  help: string;
}

/** Parses the options declared in a help text. */
export function optionsIn(text: string): OptionSpec[] {
  const lines = text.matchAll(
    /^ {2}--([a-z-]+)(?: (\S.*?))?(?: {2,}(.*?) ?(?:\[([A-Z_]+)\])?)?$/gm,
  );
  return [...lines].map(([, name, value = "", help = "", env]) => ({
    ...{ name: name!, value, help },
    ...(env === undefined ? {} : { env }),
  }));
}

/** Formats options as lines of a help text. */
export function optionLines(options: readonly OptionSpec[]): string {
  return options.map(({ name, value, env, help }) => {
    const left = `  --${name}${value === "" ? "" : ` ${value}`}`.padEnd(29);
    return `${left} ${help}${env === undefined ? "" : `${help === "" ? "" : " "}[${env}]`}\n`;
  }).join("");
}

/** The options and arguments of a command. */
export interface Grammar {
  options: readonly OptionSpec[];
  /** The positional arguments, as help and errors name them. Default: none are accepted. */
  files?: { command: string; name: string; meaning: string; isOne?: boolean } | undefined;
}

/** A command's grammar and its help text: the introduction, then a line for each option. */
export function grammarOf(
  introduction: string,
  options: readonly OptionSpec[],
  files?: Grammar["files"],
): Grammar & { usage: string } {
  return { usage: `${introduction}\n\n${optionLines(options)}`, options, files };
}

/** The raw texts given for each option, by name. The text of a flag is meaningless. */
export type Settings = ReadonlyMap<string, readonly Given[]>;

/** The context in which settings are read. */
export interface Place {
  /** The environment, which overrides the `.env` file. */
  env: Readonly<Record<string, string | undefined>>;
  /** The folder that paths are relative to. */
  directory: string;
  /** The known scenarios and their metrics. */
  vocabulary: ThresholdVocabulary;
}

/**
 * Reads the command line, then the environment for options that were not given. `filesBefore` is the
 * number of positional arguments before a `--`, or `null` without one.
 *
 * @throws {UsageError} on an unknown option, a stray argument or a missing value
 */
export function parseSettings(
  args: readonly string[],
  env: Place["env"],
  { options, files: accepted }: Grammar,
): { settings: Settings; files: string[]; filesBefore: number | null } {
  // npm needs `--` before the options, and its users write it here too.
  const words = args.filter((arg) => arg !== "--");
  const valued = options.filter(({ value }) => value !== "");
  const { tokens } = parseArgs({
    args: words,
    options: Object.fromEntries(valued.map(({ name }) => [name, { type: "string" }])),
    strict: false,
    tokens: true,
  });
  const settings = new Map<string, Given[]>();
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const name = token.name === "h" ? "help" : token.name;
    const spec = options.find((one) => one.name === name);
    const word = words[token.index]!;
    if (spec === undefined) {
      throw word.startsWith("--") ? unknownOption(word, options) : singleDash(word, args);
    }
    if (spec.value === "" && token.value === "false") continue;
    const text = spec.value === "" ? "true" : valueOf(spec, token, args);
    settings.set(name, [...settings.get(name) ?? [], { source: `--${name}`, text }]);
  }
  for (const { name, env: variable = "" } of options) {
    const text = env[variable];
    // An empty variable counts as unset.
    if (text && !settings.has(name)) settings.set(name, [{ source: variable, text }]);
  }
  const places = tokens.flatMap(({ kind, index }) => kind === "positional" ? index : [])
    .filter((index) => words[index] !== "");
  const files = places.map((index) => words[index]!);
  const end = args.indexOf("--");
  const filesBefore = end < 0 ? null : places.filter((index) => index < end).length;
  if (accepted === undefined && files.length > 0) throw strayArgument(files[0]!, args);
  const isEnough = accepted?.isOne ? files.length === 1 : files.length > 0;
  if (accepted === undefined || isEnough) return { settings, files, filesBefore };
  const { command, name, meaning } = accepted;
  const given = files.length === 0 ? "without arguments" : `with ${files.length} arguments`;
  throw new UsageError(
    `Cannot run ${command} ${given}: accepted is ${name}, ${meaning}; see --help`,
  );
}

/** The value of an option. One that begins with a dash has to be joined to it by `=`. */
function valueOf(
  { name, value: placeholder }: OptionSpec,
  { value = "", inlineValue = false }: { value?: string; inlineValue?: boolean },
  args: readonly string[],
): string {
  if (value !== "" && (inlineValue || !value.startsWith("-"))) return value;
  if (/^-(?!-)/.test(value)) throw singleDash(value, args);
  const joined = `(or --${name}=${placeholder}, if the value begins with a dash)`;
  throw new UsageError(`--${name} needs a value: --${name} ${placeholder} ${joined}`);
}

/** True if the arguments of a command ask for its help. */
export function asksForHelp(args: readonly string[]): boolean {
  return args.includes("--help") || args.includes("-h");
}

/** Former names of options. */
const RENAMED: Readonly<Record<string, string>> = { "--rounds": "--epochs" };

/** The option whose secret value an unexpected argument may be part of, such as a header's. */
function secretOption(args: readonly string[]): string | undefined {
  return args.map((arg) => arg.split("=", 1)[0]!).find((option) => SECRET_OPTIONS.has(option));
}

function strayArgument(word: string, args: readonly string[]): UsageError {
  const secret = secretOption(args);
  const [shown, why] = secret === undefined
    ? [` ${quoted(maskUrl(word))}`, ""]
    : ["", ` (not shown, as it may belong to ${secret}: quote values with spaces)`];
  const advice = /^\s*wss?:/i.test(word) ? ", such as --url WS_URL" : why;
  return new UsageError(
    `Cannot use the argument${shown}: only options are accepted${advice}, see --help`,
  );
}

function singleDash(word: string, args: readonly string[]): UsageError {
  const isShown = secretOption(args) === undefined;
  const [shown, value] = isShown ? [word, word] : ["that begins with one dash", "VALUE"];
  return new UsageError(
    `Unknown option ${shown}: options begin with two dashes (see --help); write a value that ` +
      `begins with a dash as --option=${value}`,
  );
}

function unknownOption(word: string, options: readonly OptionSpec[]): UsageError {
  const [name = ""] = word.split("=", 1);
  const names = options.map(({ name }) => `--${name}`);
  const renamed = names.find((one) => one === RENAMED[name]);
  if (renamed !== undefined) return new UsageError(`Unknown option ${name}: it is now ${renamed}`);
  const closest = closestTo(name, names);
  const advice = closest === null ? "see --help" : `did you mean ${closest}? See --help`;
  return new UsageError(`Unknown option ${maskUrl(name)}: ${advice}`);
}

/** Turns what was given for an option into its value. */
export interface Reader<T> {
  option: string;
  read: (givens: readonly Given[], place: Place) => T | Promise<T>;
}

/** Reads the last value given, or returns `otherwise` if there is none. */
export function one<T, O = null>(
  option: string,
  parse: (given: Given, place: Place) => T | Promise<T>,
  otherwise: O = null as O,
): Reader<T | O> {
  return {
    option,
    read: (givens, place) => givens.length === 0 ? otherwise : parse(givens.at(-1)!, place),
  };
}

/** Reads all values of a repeatable option. */
export function list<T>(option: string, read: Reader<T>["read"]): Reader<T> {
  return { option, read };
}

/** Reads an option without a value. */
export function flag(option: string): Reader<boolean> {
  return { option, read: (givens) => givens.length > 0 };
}

/** Runs all readers, and returns their values under the same names. */
export async function readAll<R extends Record<string, Reader<unknown>>>(
  readers: R,
  settings: Settings,
  place: Place,
): Promise<{ [K in keyof R]: R[K] extends Reader<infer T> ? T : never }> {
  const values: Record<string, unknown> = {};
  for (const [name, { option, read }] of Object.entries(readers)) {
    values[name] = await read(settings.get(option) ?? [], place);
  }
  return values as Awaited<ReturnType<typeof readAll<R>>>;
}
