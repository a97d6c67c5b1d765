// Replaces jsr:@std/dotenv when JSR is unreachable, using Node's parser.

import { parseEnv } from "node:util";

/** Parses the text of a `.env` file into its variables. */
export function parse(text: string): Record<string, string> {
  return parseEnv(text) as Record<string, string>;
}
