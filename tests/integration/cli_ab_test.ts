import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { makeUserFolder, NEEDS_PROCESSES, runCli, SHORT_RUN } from "../support/run_cli.ts";
import { startReference } from "../support/run_scenarios.ts";
import { TOKEN } from "../support/targets.ts";

Deno.test({
  name: "ab: like a run, it first prints its plan and the options without effect",
  ignore: NEEDS_PROCESSES,
}, async () => {
  await using server = await startReference();
  await using folder = await makeUserFolder();
  const run = (...args: string[]) =>
    runCli([...SHORT_RUN, "--a", server.url, "--b", server.url, ...args], {
      folder: folder.path,
      via: "ab",
      env: { EXAI_WS_TOKEN: TOKEN },
    });
  const { code, stderr } = await run("--rate", "5", "--band", "100");
  assertEquals(code, 0, stderr);
  const [warning, planned] = stderr.split("\n");
  assertStringIncludes(
    warning!,
    "warning: --rate has no effect, as no scenario of this run uses it",
  );
  // Twice the time of one server.
  assert(/^Planned: 1 scenario \(quick\), 1 epoch, about [23] s$/.test(planned!), stderr);
  await folder.write("heavy.json", '[{"tool":"chat"}]');
  const heavy = ["--scenarios", "heavy-tools", "--heavy-tools", "heavy.json", "--max-calls"];
  const refused = await run(...heavy, "1");
  assertEquals(refused.code, 2);
  assertStringIncludes(refused.stderr, 'Cannot run as --max-calls "1" allows fewer calls');
});
