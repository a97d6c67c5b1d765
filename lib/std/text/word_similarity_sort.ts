// The code of jsr:@std/text/word-similarity-sort from npm, for when JSR is unreachable.

// @ts-types="./word_similarity_sort.d.ts"
export { wordSimilaritySort } from "npm:deno-std@1.4.0/text/word_similarity_sort.js";
