import { parseArgs } from "@std/cli/parse-args";
import { wordSimilaritySort } from "@std/text/word-similarity-sort";
import { OPTIONS, type OptionSpec } from "./options.ts";
import { UsageError } from "./usage_error.ts";

/** A setting as it was given, and where, for error messages. */
export interface Given {
  /** `--rounds`, or the name of a variable. */
  source: string;
  text: string;
}

/** What was given, before any of it is looked at. */
export interface RawSettings {
  flags: ReadonlySet<string>;
  values: ReadonlyMap<string, Given>;
  lists: ReadonlyMap<string, Given[]>;
}

/** Names that some give options. */
const ALIASES: Record<string, string> = { help: "h" };

/**
 * Reads the command line, then the environment for what it leaves open.
 *
 * @throws {UsageError} on an unknown option, a stray argument or a missing value
 */
export function parseSettings(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): RawSettings {
  const specs = [...OPTIONS.values()];
  const named = (kind: OptionSpec["kind"]) =>
    specs.filter((spec) => spec.kind === kind).map(({ name }) => name);
  const parsed = parseArgs([...args], {
    boolean: named("flag"),
    string: [...named("value"), ...named("list")],
    collect: named("list"),
    alias: ALIASES,
    unknown: rejectUnknown,
  });
  const flags = new Set<string>();
  const values = new Map<string, Given>();
  const lists = new Map<string, Given[]>();
  for (const spec of specs) {
    const { name, kind } = spec;
    if (kind === "flag") {
      if (parsed[name] === true || fromEnv(spec, env) !== null) flags.add(name);
    } else if (kind === "list") {
      const texts = parsed[name] as string[];
      if (texts.length > 0) lists.set(name, texts.map((text) => given(spec, text)));
    } else {
      const text = parsed[name] as string | undefined;
      const one = text === undefined ? fromEnv(spec, env) : given(spec, text);
      if (one !== null) values.set(name, one);
    }
  }
  return { flags, values, lists };
}

function given({ name, value }: OptionSpec, text: string): Given {
  if (text === "") {
    throw new UsageError(
      `--${name} needs a value: --${name} ${value} ` +
        `(or --${name}=${value}, if the value begins with a dash)`,
    );
  }
  return { source: `--${name}`, text };
}

/** An empty variable is as good as none. */
function fromEnv(
  { env: name }: OptionSpec,
  env: Readonly<Record<string, string | undefined>>,
): Given | null {
  const text = name === undefined ? undefined : env[name];
  return name === undefined || !text ? null : { source: name, text };
}

function rejectUnknown(arg: string, key?: string): never {
  if (key === undefined) {
    throw new UsageError(`Cannot use the argument "${arg}": only options are accepted, see --help`);
  }
  const name = `--${key}`;
  const closest = wordSimilaritySort(name, [...OPTIONS.keys()].map((option) => `--${option}`))[0];
  throw new UsageError(`Unknown option ${arg.split("=")[0]}: did you mean ${closest}? See --help`);
}
