/**
 * Stands in for `jsr:@std/dotenv` where JSR cannot be reached, over Node's own parser of the format.
 *
 * @module
 */

import { parseEnv } from "node:util";

/** Parses the text of a `.env` file into its variables. */
export function parse(text: string): Record<string, string> {
  return parseEnv(text) as Record<string, string>;
}
