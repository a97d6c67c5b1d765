import { assertEquals } from "@std/assert";
import { parseArgs } from "@std/cli/parse-args";
import { parse } from "@std/dotenv";
import { levenshteinDistance } from "@std/text/levenshtein-distance";
import { wordSimilaritySort } from "@std/text/word-similarity-sort";

Deno.test("the @std modules in use work, from JSR or from their stand-ins", () => {
  assertEquals(parseArgs(["--url", "ws://h", "x"], { string: ["url"] }), {
    _: ["x"],
    url: "ws://h",
  });
  assertEquals(parse("# token\nEXAI_WS_TOKEN='a b'\nEMPTY=\n"), {
    EXAI_WS_TOKEN: "a b",
    EMPTY: "",
  });
});

Deno.test("the @std/text functions in use work, from JSR or from their stand-ins", () => {
  assertEquals(levenshteinDistance("--scenarois", "--scenarios"), 2);
  assertEquals(wordSimilaritySort("statsu", ["version", "status"]), ["status", "version"]);
});
