/**
 * Stands in for `jsr:@std/text/levenshtein-distance` where JSR cannot be reached: the same code,
 * from npm.
 *
 * @module
 */

// @ts-types="./levenshtein_distance.d.ts"
export { levenshteinDistance } from "npm:deno-std@1.4.0/text/levenshtein_distance.js";
