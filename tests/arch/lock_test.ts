import { assert, assertEquals } from "@std/assert";
import lockText from "../../npm.lock" with { type: "text" };
import { runCommand } from "../support/commands.ts";
import { NEEDS_PROCESSES } from "../support/run_cli.ts";

type Lock = { specifiers: Record<string, string>; npm: Record<string, { integrity: string }> };

/**
 * Deno's own lock file would differ between machines that reach JSR and machines that do not, so
 * npm.lock has only the npm packages, and this test compares them with what is installed.
 */
Deno.test("arch: every npm package of the program has the hash in npm.lock", {
  ignore: NEEDS_PROCESSES,
}, async () => {
  const locked: Lock = JSON.parse(lockText);
  const path = await Deno.makeTempFile({ suffix: ".lock" });
  try {
    await Deno.writeTextFile(path, lockText);
    const args = ["cache", "-q", `--lock=${path}`, "--frozen=false", "main.ts", "bundle/entry.ts"];
    const { code, stderr } = await runCommand(Deno.execPath(), args);
    assertEquals(code, 0, stderr);
    const found: Lock = JSON.parse(await Deno.readTextFile(path));
    assert(Object.keys(found.npm).length > 5);
    assertEquals(found.npm, locked.npm);
  } finally {
    await Deno.remove(path);
  }
});
