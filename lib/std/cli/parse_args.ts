// The code of jsr:@std/cli/parse-args from npm, for when JSR is unreachable.

// @ts-types="./parse_args.d.ts"
export { parseArgs } from "npm:deno-std@1.4.0/cli/parse_args.js";
