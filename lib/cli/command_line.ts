/**
 * Parses command lines. Each option is declared by its line in a help text; readers turn what was
 * given into values.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
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
  grammar: Grammar,
): { settings: Settings; files: string[]; filesBefore: number | null } {
  const { options, files } = grammar;
  const valued = options.filter(({ value }) => value !== "").map(({ name }) => name);
  // npm needs `--` before the options, and its users write it here too.
  const parse = (words: readonly string[]) => {
    const found: string[] = [];
    const given = parseArgs(words.filter((word) => word !== "--").flatMap(splitNegated), {
      boolean: options.filter(({ value }) => value === "").map(({ name }) => name),
      string: valued,
      collect: valued,
      alias: { help: "h" },
      unknown(arg, key) {
        // Left over by `--url ""`; the missing value is reported below.
        if (arg === "") return false;
        if (key !== undefined || files === undefined) {
          throw new UsageError(problemOf(arg, key, { ...grammar, args }));
        }
        // The parser would turn a file called 007 into a number.
        found.push(arg);
        return false;
      },
    });
    return { given, found };
  };
  const { given, found } = parse(args);
  const settings = new Map(options.flatMap((spec) => {
    const { name, env: variable = "" } = spec;
    const texts = given[name] === true ? ["true"] : [given[name] || []].flat() as string[];
    const givens = texts.map((text) => checked(spec, text));
    // An empty variable counts as unset.
    if (givens.length === 0 && env[variable]) {
      givens.push({ source: variable, text: env[variable] });
    }
    return givens.length === 0 ? [] : [[name, givens] as const];
  }));
  const end = args.indexOf("--");
  const filesBefore = end < 0 ? null : parse(args.slice(0, end)).found.length;
  const isEnough = files === undefined || (files.isOne ? found.length === 1 : found.length > 0);
  if (isEnough) return { settings, files: found, filesBefore };
  const { command, name, meaning } = files;
  const number = found.length === 0 ? "without arguments" : `with ${found.length} arguments`;
  throw new UsageError(
    `Cannot run ${command} ${number}: accepted is ${name}, ${meaning}; see --help`,
  );
}

/** Splits `--no-x=y`, which the parser would take for an option `x`. */
function splitNegated(arg: string): string[] {
  const [, name, text] = /^(--no-[^=]+)=(.*)$/s.exec(arg) ?? [];
  return name === undefined ? [arg] : [name, text!];
}

function checked({ name, value }: OptionSpec, text: string): Given {
  if (text !== "") return { source: `--${name}`, text };
  const joined = `(or --${name}=${value}, if the value begins with a dash)`;
  throw new UsageError(`--${name} needs a value: --${name} ${value} ${joined}`);
}

/** True if the arguments of a command ask for its help. */
export function asksForHelp(args: readonly string[]): boolean {
  return args.includes("--help") || args.includes("-h");
}

/** Former names of options. */
const RENAMED: Readonly<Record<string, string>> = { rounds: "epochs" };

/**
 * The error for an argument that is not a known option. The argument is not shown if it could be
 * part of a secret, such as an unquoted header, or a token that begins with a dash.
 */
function problemOf(
  arg: string,
  key: string | undefined,
  { options, args }: Grammar & { args: readonly string[] },
): string {
  const secret = args.map((one) => one.split("=", 1)[0]!)
    .find((option) => SECRET_OPTIONS.has(option));
  if (key === undefined) {
    const [shown, why] = secret === undefined
      ? [` ${quoted(maskUrl(arg))}`, ""]
      : ["", ` (not shown, as it may belong to ${secret}: quote values with spaces)`];
    const advice = /^\s*wss?:/i.test(arg) ? ", such as --url WS_URL" : why;
    return `Cannot use the argument${shown}: only options are accepted${advice}, see --help`;
  }
  if (!arg.startsWith("--")) {
    const [shown, value] = secret === undefined
      ? [arg, arg]
      : ["that begins with one dash", "VALUE"];
    return `Unknown option ${shown}: options begin with two dashes (see --help); write a value that ` +
      `begins with a dash as --option=${value}`;
  }
  const names = options.map(({ name }) => `--${name}`);
  const renamed = names.find((name) => name === `--${RENAMED[key]}`);
  if (renamed !== undefined) return `Unknown option --${key}: it is now ${renamed}`;
  const closest = closestTo(`--${key}`, names);
  const advice = closest === null ? "see --help" : `did you mean ${closest}? See --help`;
  return `Unknown option ${maskUrl(arg.split("=")[0]!)}: ${advice}`;
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
