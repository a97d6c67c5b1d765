import { assertEquals } from "@std/assert";
import { readCiSettings } from "../../lib/cli/environment.ts";

Deno.test("without a variable, nothing is told to any system", () => {
  const none = { plain: false, annotates: false, stepSummaryPath: null };
  assertEquals(readCiSettings({}), none);
  const empty = { CI: "", TERM: "", GITHUB_ACTIONS: "", GITHUB_STEP_SUMMARY: "" };
  assertEquals(readCiSettings(empty), none);
  assertEquals(readCiSettings({ CI: "false", GITHUB_ACTIONS: "0", TERM: "xterm" }), none);
});

Deno.test("GitHub Actions sets all that there is", () => {
  assertEquals(
    readCiSettings({ CI: "true", GITHUB_ACTIONS: "true", GITHUB_STEP_SUMMARY: "/runner/s" }),
    { plain: true, annotates: true, stepSummaryPath: "/runner/s" },
  );
});

Deno.test("any word in CI, and a terminal that draws nothing over, ask for plain lines", () => {
  for (const env of [{ CI: "1" }, { CI: "woodpecker" }, { CI: "TRUE" }]) {
    assertEquals(readCiSettings(env).plain, true);
  }
  assertEquals(readCiSettings({ TERM: "dumb" }).plain, true);
  assertEquals(readCiSettings({ CI: "False" }).plain, false);
});
