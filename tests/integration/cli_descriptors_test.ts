import { assertEquals, assertStringIncludes } from "@std/assert";
import project from "../../deno.json" with { type: "json" };
import { makeUserFolder, NEEDS_PROCESSES, PROJECT_FOLDER } from "../support/run_cli.ts";

const ignore = NEEDS_PROCESSES || Deno.build.os === "windows";

/** Runs the command line under a limit of open files. */
async function runLimited(limit: number, args: string[], folder: string) {
  const command = project.tasks.bench.command.split(" ").slice(1);
  const { code, stderr } = await new Deno.Command("sh", {
    args: ["-c", `ulimit -n ${limit} && exec "$0" "$@"`, Deno.execPath(), ...command, ...args],
    cwd: PROJECT_FOLDER,
    env: { INIT_CWD: folder },
    stdin: "null",
  }).output();
  return { code, stderr: new TextDecoder().decode(stderr) };
}

Deno.test(
  { name: "more connections than ulimit -n allows are refused beforehand", ignore },
  async () => {
    await using folder = await makeUserFolder();
    const { code, stderr } = await runLimited(200, ["--connections", "200"], folder.path);
    assertEquals(code, 2, stderr);
    assertStringIncludes(stderr, 'Cannot use --connections "200": ');
    assertStringIncludes(stderr, "ulimit -n");
    assertEquals([...(await folder.files()).keys()], []);
  },
);
