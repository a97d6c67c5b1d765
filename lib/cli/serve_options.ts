import { parseArgs } from "@std/cli/parse-args";
import { defaultServerOptions, type ServerOptions } from "../server/options.ts";
import { acceptUnknown, type Given } from "./parse.ts";
import {
  SECONDS,
  SERVE_ENVIRONMENT,
  SERVE_OPTIONS,
  type ServeOption,
} from "./serve_option_table.ts";
import { UsageError } from "./usage_error.ts";
import { parseNumber } from "./values.ts";

/** What a command line of `serve` asks for. */
export type ServeCommand =
  | { name: "help"; text: string }
  | { name: "serve"; options: ServerOptions };

type Environment = Readonly<Record<string, string | undefined>>;

const SERVE_OPTION_NAMES = new Set(SERVE_OPTIONS.map(({ name }) => name));

/**
 * Reads the command line of `serve`, then the environment for what it leaves open.
 *
 * @throws {UsageError} if an option is unknown or a value cannot be used
 */
export function parseServeOptions(args: readonly string[], env: Environment): ServeCommand {
  // Those who know npm write `--` before the options; Deno's tasks need none.
  const parsed = parseArgs(args.filter((arg) => arg !== "--"), {
    boolean: ["help"],
    string: SERVE_OPTIONS.map(({ name }) => name),
    collect: SERVE_OPTIONS.map(({ name }) => name),
    alias: { help: "h" },
    unknown: (arg, key) =>
      acceptUnknown(arg, key, { options: SERVE_OPTION_NAMES, positionals: [], args }),
  });
  if (parsed.help === true) return { name: "help", text: serveUsage() };
  const options = defaultServerOptions({ port: 8079 });
  const textsOf = (name: string) => parsed[name] as string[];
  const ownLimits = textsOf("limits").length > 0;
  for (const { env: name, option, apply } of SERVE_ENVIRONMENT) {
    const overridden = option !== undefined && (ownLimits || textsOf(option).length > 0);
    const text = env[name];
    if (text && !overridden) apply(options, { source: name, text });
  }
  options.idleTimeoutSeconds = readIdleTimeout(env);
  for (const option of SERVE_OPTIONS) {
    const texts = textsOf(option.name);
    const text = option.env && env[option.env];
    if (texts.length > 0) texts.forEach((text) => option.apply(options, given(option, text)));
    else if (option.env && text) option.apply(options, { source: option.env, text });
  }
  return { name: "serve", options };
}

/** The text of `serve --help`. */
export function serveUsage(): string {
  const rows = SERVE_OPTIONS.map(({ name, value, env, help }) => ({
    left: `  --${name} ${value}`,
    right: env === undefined ? help : `${help} [${env}]`,
  }));
  const width = Math.max(...rows.map(({ left }) => left.length));
  return [
    "Usage: deno task serve [options]",
    "",
    "Runs the bundled EXAI reference server until it is interrupted.",
    "",
    ...rows.map(({ left, right }) => `${left.padEnd(width)}  ${right}`),
    `${"  -h, --help".padEnd(width)}  this text`,
    "",
    "Options win over the environment. Also read from it: RATE_LIMIT_{USER,IP,GLOBAL}_CAPACITY,",
    "RATE_LIMIT_{USER,IP,GLOBAL}_REFILL_RATE, EXAI_WS_MAX_BYTES, TOOL_CALL_MAX_SIZE,",
    "EXAI_WS_PING_INTERVAL and EXAI_WS_PING_TIMEOUT.",
    "",
  ].join("\n");
}

/** Silence that the server bears: the time to its ping and the time for the answer. */
function readIdleTimeout(env: Environment): number {
  const read = (name: string) => {
    const text = env[name];
    return text ? parseNumber({ source: name, text }, SECONDS) : 30;
  };
  return Math.ceil(read("EXAI_WS_PING_INTERVAL") + read("EXAI_WS_PING_TIMEOUT"));
}

function given({ name, value }: ServeOption, text: string): Given {
  if (text !== "") return { source: `--${name}`, text };
  throw new UsageError(
    `--${name} needs a value: --${name} ${value} ` +
      `(or --${name}=${value}, if the value begins with a dash)`,
  );
}
