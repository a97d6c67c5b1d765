import { assertEquals, assertStringIncludes } from "@std/assert";
import { makeUserFolder, NEEDS_PROCESSES, runCli } from "../support/run_cli.ts";

const ignore = NEEDS_PROCESSES || Deno.build.os === "windows";

Deno.test({ name: "more connections than ulimit -n allows are refused", ignore }, async () => {
  await using folder = await makeUserFolder();
  const { code, stderr } = await runCli(["--connections", "200"], {
    folder: folder.path,
    descriptors: 200,
  });
  assertEquals(code, 2, stderr);
  assertStringIncludes(stderr, 'Cannot use --connections "200": ');
  assertStringIncludes(stderr, "ulimit -n");
  assertEquals([...(await folder.files()).keys()], []);
});
