/**
 * Reads command lines. A help text is the one place where options are declared, a line each; readers make values of
 * what is given for them.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { maskUrl } from "../client/redact_url.ts";
import type { ThresholdVocabulary } from "../stats/thresholds.ts";
import { SECRET_OPTIONS } from "./invocation.ts";
import { closestTo, type Given, quoted, UsageError } from "./usage_error.ts";

/** An option, as a line of a help text has it: `--name VALUE  help [VARIABLE]`. */
export interface OptionSpec {
  name: string;
  /** The placeholder of its value; empty: it is a flag. */
  value: string;
  /** The variable that gives it where the option is absent. */
  env?: string;
  help: string;
}

/** The options that lines of a help text declare. */
export function optionsIn(text: string): OptionSpec[] {
  const lines = text.matchAll(
    /^ {2}--([a-z-]+)(?: (\S.*?))?(?: {2,}(.*?) ?(?:\[([A-Z_]+)\])?)?$/gm,
  );
  return [...lines].map(([, name, value = "", help = "", env]) => ({
    ...{ name: name!, value, help },
    ...(env === undefined ? {} : { env }),
  }));
}

/** The lines of a help text that declare these options. */
export function optionLines(options: readonly OptionSpec[]): string {
  return options.map(({ name, value, env, help }) => {
    const left = `  --${name}${value === "" ? "" : ` ${value}`}`.padEnd(29);
    return `${left} ${help}${env === undefined ? "" : `${help === "" ? "" : " "}[${env}]`}\n`;
  }).join("");
}

/** What a command takes. */
export interface Grammar {
  options: readonly OptionSpec[];
  /** What its other arguments are called; left out: it takes none. */
  files?: { name: string; isOne?: boolean } | undefined;
}

/** What a command takes, and its help text: an introduction, and lines of the options. */
export function grammarOf(
  introduction: string,
  options: readonly OptionSpec[],
  files?: Grammar["files"],
): Grammar & { usage: string } {
  return { usage: `${introduction}\n\n${optionLines(options)}`, options, files };
}

/** What was given for each option that was, before any of it is looked at; for a flag, a text that says nothing. */
export type Settings = ReadonlyMap<string, readonly Given[]>;

/** Where settings are read. */
export interface Place {
  /** The environment, over the `.env` file. */
  env: Readonly<Record<string, string | undefined>>;
  /** What people's paths are relative to. */
  directory: string;
  /** The scenarios that there are, with their metrics. */
  vocabulary: ThresholdVocabulary;
}

/**
 * Reads the command line, then the environment for what it leaves open.
 *
 * @throws {UsageError} on an unknown option, a stray argument or a missing value
 */
export function parseSettings(
  args: readonly string[],
  env: Place["env"],
  grammar: Grammar,
): { settings: Settings; files: string[] } {
  const { options, files } = grammar;
  const valued = options.filter(({ value }) => value !== "").map(({ name }) => name);
  // Those who know npm write `--` before the options; Deno's tasks need none.
  const parsed = parseArgs(args.filter((arg) => arg !== "--").flatMap(splitNegated), {
    boolean: options.filter(({ value }) => value === "").map(({ name }) => name),
    string: valued,
    collect: valued,
    alias: { help: "h" },
    unknown(arg, key) {
      // Left over by `--url ""`, of which the value is missed by name.
      if (arg === "") return false;
      if (key === undefined && files !== undefined) return true;
      throw new UsageError(problemOf(arg, key, { ...grammar, args }));
    },
  });
  const settings = new Map(options.flatMap((spec) => {
    const { name, env: variable = "" } = spec;
    const texts = parsed[name] === true ? ["true"] : [parsed[name] || []].flat() as string[];
    const givens = texts.map((text) => checked(spec, text));
    // An empty variable is as good as none.
    if (givens.length === 0 && env[variable]) {
      givens.push({ source: variable, text: env[variable] });
    }
    return givens.length === 0 ? [] : [[name, givens] as const];
  }));
  const found = parsed._.map(String);
  const isEnough = files === undefined || (files.isOne ? found.length === 1 : found.length > 0);
  if (isEnough) return { settings, files: found };
  const count = `${found.length} arguments`;
  throw new UsageError(`Cannot use ${count}: needed is ${files.name}, see --help`);
}

/** The parser would take `--no-x=y` for an option `x`. */
function splitNegated(arg: string): string[] {
  const [, name, text] = /^(--no-[^=]+)=(.*)$/s.exec(arg) ?? [];
  return name === undefined ? [arg] : [name, text!];
}

function checked({ name, value }: OptionSpec, text: string): Given {
  if (text !== "") return { source: `--${name}`, text };
  const joined = `(or --${name}=${value}, if the value begins with a dash)`;
  throw new UsageError(`--${name} needs a value: --${name} ${value} ${joined}`);
}

/** Does someone ask for the help of a command? */
export function asksForHelp(args: readonly string[]): boolean {
  return args.includes("--help") || args.includes("-h");
}

/** Options of the first edition. */
const RENAMED: Readonly<Record<string, string>> = { rounds: "epochs" };

/**
 * What is wrong with an argument that is no known option. It is not shown where it may be a part of a secret, such as
 * of a header that is not quoted, or a token that begins with a dash.
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
      : ["", ` (not shown, as it may belong to ${secret}: quote a value with spaces)`];
    const advice = /^\s*wss?:/i.test(arg) ? ", such as --url WS_URL" : why;
    return `Cannot use the argument${shown}: only options are accepted${advice}, see --help`;
  }
  if (!arg.startsWith("--")) {
    const [shown, value] = secret === undefined
      ? [arg, arg]
      : ["that begins with one dash", "VALUE"];
    return `Unknown option ${shown}: options begin with two dashes (see --help), and a value that begins ` +
      `with a dash is given as --option=${value}`;
  }
  const names = options.map(({ name }) => `--${name}`);
  const renamed = names.find((name) => name === `--${RENAMED[key]}`);
  if (renamed !== undefined) return `Unknown option --${key}: it is ${renamed} now`;
  const closest = closestTo(`--${key}`, names);
  const advice = closest === null ? "see --help" : `did you mean ${closest}? See --help`;
  return `Unknown option ${maskUrl(arg.split("=")[0]!)}: ${advice}`;
}

/** Makes a value of what is given for an option. */
export interface Reader<T> {
  option: string;
  read: (givens: readonly Given[], place: Place) => T | Promise<T>;
}

/** An option of which the last value counts; `otherwise` where it is not given. */
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

/** An option that may be repeated. */
export function list<T>(option: string, read: Reader<T>["read"]): Reader<T> {
  return { option, read };
}

/** An option without a value. */
export function flag(option: string): Reader<boolean> {
  return { option, read: (givens) => givens.length > 0 };
}

/** What each reader makes of its option, by the same names. */
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
