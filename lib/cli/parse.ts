import { parseArgs } from "@std/cli/parse-args";
import { maskUrl } from "../client/redact_url.ts";
import { SECRET_OPTIONS } from "./masked_command.ts";
import { OPTIONS, type OptionSpec } from "./options.ts";
import { closestTo } from "./suggestion.ts";
import { quoted, UsageError } from "./usage_error.ts";

/** A setting as it was given, and where, for error messages. */
export interface Given {
  /** `--epochs`, or the name of a variable. */
  source: string;
  text: string;
}

/** What was given, before any of it is looked at. */
export interface RawSettings {
  flags: ReadonlySet<string>;
  values: ReadonlyMap<string, Given>;
  lists: ReadonlyMap<string, Given[]>;
  positionals: string[];
}

/** Names that some give options. */
const ALIASES: Record<string, string> = { help: "h" };

/** Options of the first edition. */
const RENAMED: Readonly<Record<string, string>> = { rounds: "--epochs" };

/** What a command takes. */
export interface Grammar {
  options: ReadonlyMap<string, OptionSpec>;
  /** What its arguments are called, in their order; all of them are needed. */
  positionals: readonly string[];
  /** Whether the last of them may be repeated. */
  variadic?: boolean;
}

/** The grammar of `bench`. */
const BENCH: Grammar = { options: OPTIONS, positionals: [] };

/**
 * Reads the command line, then the environment for what it leaves open.
 *
 * @throws {UsageError} on an unknown option, a stray argument or a missing value
 */
export function parseSettings(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  grammar: Grammar = BENCH,
): RawSettings {
  const specs = [...grammar.options.values()];
  const named = (kind: OptionSpec["kind"]) =>
    specs.filter((spec) => spec.kind === kind).map(({ name }) => name);
  // Those who know npm write `--` before the options; Deno's tasks need none.
  const parsed = parseArgs(args.filter((arg) => arg !== "--").flatMap(splitNegated), {
    boolean: named("flag"),
    string: [...named("value"), ...named("list")],
    collect: named("list"),
    alias: ALIASES,
    unknown: (arg, key) => acceptUnknown(arg, key, { ...grammar, args }),
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
  return { flags, values, lists, positionals: readPositionals(parsed._, grammar) };
}

/** The parser would take `--no-x=y` for an option `x`. */
function splitNegated(arg: string): string[] {
  const [, name, text] = /^(--no-[^=]+)=(.*)$/s.exec(arg) ?? [];
  return name === undefined ? [arg] : [name, text!];
}

/** Does someone ask for the help of a command? */
export function asksForHelp(args: readonly string[]): boolean {
  return args.includes("--help") || args.includes("-h");
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

function readPositionals(
  found: readonly (string | number)[],
  { positionals, variadic = false }: Grammar,
): string[] {
  const isMore = variadic && found.length > positionals.length;
  if (isMore || found.length === positionals.length) return found.map(String);
  throw new UsageError(
    `Cannot use ${found.length} arguments: needed ${positionals.length === 1 ? "is" : "are"} ${
      positionals.join(" and ")
    }, see --help`,
  );
}

/**
 * Says whether an argument that is no known option may stay. It is not shown where it may be a part of a secret, such as of a
 * header that is not quoted, or a token that begins with a dash.
 *
 * @throws {UsageError} if it may not
 */
export function acceptUnknown(
  arg: string,
  key: string | undefined,
  grammar: Pick<Grammar, "positionals"> & {
    options: { keys(): Iterable<string> };
    args: readonly string[];
  },
): boolean {
  // Left over by `--url ""`, which is told by its name.
  if (arg === "") return false;
  if (key === undefined && grammar.positionals.length > 0) return true;
  const secret = grammar.args.map((one) => one.split("=", 1)[0]!)
    .find((option) => SECRET_OPTIONS.has(option));
  if (key === undefined) {
    const shown = secret === undefined ? ` ${quoted(maskUrl(arg))}` : "";
    const advice = /^\s*wss?:/i.test(arg)
      ? ", such as --url WS_URL"
      : secret === undefined
      ? ""
      : ` (not shown, as it may belong to ${secret}: quote a value with spaces)`;
    throw new UsageError(
      `Cannot use the argument${shown}: only options are accepted${advice}, see --help`,
    );
  }
  if (!arg.startsWith("--")) {
    const shown = secret === undefined ? arg : "that begins with one dash";
    throw new UsageError(
      `Unknown option ${shown}: options begin with two dashes (see --help), and a value that begins ` +
        `with a dash is given as --option=${secret === undefined ? arg : "VALUE"}`,
    );
  }
  const name = `--${key}`;
  const renamed = RENAMED[key];
  if (renamed !== undefined) throw new UsageError(`Unknown option ${name}: it is ${renamed} now`);
  const closest = closestTo(name, [...grammar.options.keys()].map((option) => `--${option}`));
  const advice = closest === null ? "see --help" : `did you mean ${closest}? See --help`;
  throw new UsageError(`Unknown option ${maskUrl(arg.split("=")[0]!)}: ${advice}`);
}
