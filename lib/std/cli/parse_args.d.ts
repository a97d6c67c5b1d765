/** The part of `@std/cli/parse-args` that this project uses; the npm package has no types. */

export interface ParseOptions {
  boolean?: readonly string[];
  string?: readonly string[];
  collect?: readonly string[];
  negatable?: readonly string[];
  alias?: Record<string, string>;
  stopEarly?: boolean;
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** Returns the flags by name, and the other arguments under `_`. */
export function parseArgs(
  args: string[],
  options?: ParseOptions,
): { [flag: string]: unknown; _: Array<string | number> };
