/**
 * Stands in for `jsr:@std/cli/parse-args` where JSR cannot be reached: the same code, from npm.
 *
 * @module
 */

// @ts-types="./parse_args.d.ts"
export { parseArgs } from "npm:deno-std@1.4.0/cli/parse_args.js";
