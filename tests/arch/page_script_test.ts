/**
 * The script of report.html is no module of the program's: it is checked as what a browser runs.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { NEEDS_PROCESSES, PROJECT_FOLDER } from "../support/run_cli.ts";

Deno.test("arch: the types of the page's script are those of a browser", {
  ignore: NEEDS_PROCESSES,
}, async () => {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["check", "-q", "--config", "page_types.json", "page.js"],
    cwd: `${PROJECT_FOLDER}lib/report/render`,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
});
