import { assert, assertEquals } from "@std/assert";
import lockText from "../../npm.lock" with { type: "text" };
import { NEEDS_PROCESSES, PROJECT_FOLDER } from "../support/run_cli.ts";

type Lock = { specifiers: Record<string, string>; npm: Record<string, { integrity: string }> };

/**
 * The lock file that Deno would keep by itself would change wherever JSR answers, or not: so it holds the packages
 * of npm alone, under a name of its own, and is held against what is there.
 */
Deno.test("arch: every npm package of the program is the one whose hash npm.lock has", {
  ignore: NEEDS_PROCESSES,
}, async () => {
  const locked: Lock = JSON.parse(lockText);
  const path = await Deno.makeTempFile({ suffix: ".lock" });
  try {
    await Deno.writeTextFile(path, lockText);
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["cache", "-q", `--lock=${path}`, "--frozen=false", "main.ts", "bundle/entry.ts"],
      cwd: PROJECT_FOLDER,
      stdin: "null",
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    const found: Lock = JSON.parse(await Deno.readTextFile(path));
    assert(Object.keys(found.npm).length > 5);
    assertEquals(found.npm, locked.npm);
  } finally {
    await Deno.remove(path);
  }
});
