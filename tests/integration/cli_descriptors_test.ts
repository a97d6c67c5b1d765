import { assertEquals, assertStringIncludes } from "@std/assert";
import { makeUserFolder, NEEDS_PROCESSES, runCli } from "../support/run_cli.ts";

const ignore = NEEDS_PROCESSES || Deno.build.os === "windows";

Deno.test({ name: "more connections than ulimit -n allows are refused", ignore }, async () => {
  await using folder = await makeUserFolder();
  const args = ["--scenarios", "concurrent-connections", "--connections", "200"];
  const servers = ["--a", "ws://127.0.0.1:1", "--b", "ws://127.0.0.1:1"];
  for (const [via, more] of [["bench", []], ["ab", servers]] as const) {
    const options = { folder: folder.path, descriptors: 200, via };
    const { code, stderr } = await runCli([...args, ...more], options);
    assertEquals(code, 2, stderr);
    assertStringIncludes(stderr, 'Cannot use --connections "200": ');
    assertStringIncludes(stderr, "ulimit -n");
  }
  assertEquals([...(await folder.files()).keys()], []);
});
