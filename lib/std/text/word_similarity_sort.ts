/**
 * Stands in for `jsr:@std/text/word-similarity-sort` where JSR cannot be reached: the same code,
 * from npm.
 *
 * @module
 */

// @ts-types="./word_similarity_sort.d.ts"
export { wordSimilaritySort } from "npm:deno-std@1.4.0/text/word_similarity_sort.js";
