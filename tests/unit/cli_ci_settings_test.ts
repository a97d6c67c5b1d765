import { assertEquals } from "@std/assert";
import { readCiSettings } from "../../lib/cli/environment.ts";

Deno.test("CI settings: without a variable everything is off", () => {
  const none = { plain: false, annotates: false, stepSummaryPath: null };
  assertEquals(readCiSettings({}), none);
  const empty = { CI: "", TERM: "", GITHUB_ACTIONS: "", GITHUB_STEP_SUMMARY: "" };
  assertEquals(readCiSettings(empty), none);
  assertEquals(readCiSettings({ CI: "false", GITHUB_ACTIONS: "0", TERM: "xterm" }), none);
});

Deno.test("CI settings: GitHub Actions turns everything on", () => {
  assertEquals(
    readCiSettings({ CI: "true", GITHUB_ACTIONS: "true", GITHUB_STEP_SUMMARY: "/runner/s" }),
    { plain: true, annotates: true, stepSummaryPath: "/runner/s" },
  );
});

Deno.test("CI settings: any CI but false, and a dumb terminal, mean plain lines", () => {
  for (const env of [{ CI: "1" }, { CI: "woodpecker" }, { CI: "TRUE" }]) {
    assertEquals(readCiSettings(env).plain, true);
  }
  assertEquals(readCiSettings({ TERM: "dumb" }).plain, true);
  assertEquals(readCiSettings({ CI: "False" }).plain, false);
});
