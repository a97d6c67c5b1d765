import { assertEquals } from "@std/assert";
import { levenshteinDistance } from "@std/text/levenshtein-distance";
import { wordSimilaritySort } from "@std/text/word-similarity-sort";

Deno.test("the @std/text functions in use work, from JSR or from their stand-ins", () => {
  assertEquals(levenshteinDistance("--scenarois", "--scenarios"), 2);
  assertEquals(wordSimilaritySort("statsu", ["version", "status"]), ["status", "version"]);
});
