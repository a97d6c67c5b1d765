import { assertEquals } from "@std/assert";
import { runCommand } from "../support/commands.ts";
import { NEEDS_PROCESSES, PROJECT_FOLDER } from "../support/run_cli.ts";

Deno.test("arch: the script of report.html type-checks as a browser's", {
  ignore: NEEDS_PROCESSES,
}, async () => {
  const args = ["check", "-q", "--config", "page_types.json", "page.js"];
  const { code, stderr } = await runCommand(Deno.execPath(), args, {
    cwd: `${PROJECT_FOLDER}lib/report/render`,
    env: { NO_COLOR: "1" },
  });
  assertEquals([code, stderr], [0, ""]);
});
