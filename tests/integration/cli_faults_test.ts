import { assertEquals, assertStringIncludes } from "@std/assert";
import type { Scalar } from "../../lib/schema.ts";
import { makeUserFolder, NEEDS_PROCESSES, runCli } from "../support/run_cli.ts";

const options = { ignore: NEEDS_PROCESSES };
const FAULTS = ["--profile", "quick", "--epochs", "1", "--quiet", "--format", "json"];

Deno.test("cli: the bundled server restarts, and its limits can be measured", options, async () => {
  await using folder = await makeUserFolder();
  const { code, stdout } = await runCli([
    ...FAULTS,
    ...["--scenarios", "reconnect-storm,rate-limit,malformed-input"],
    ...["--expect-limits", "session=50/5,ip=100/10"],
  ], { folder: folder.path });
  assertEquals(code, 0, stdout);
  const report = await folder.report();
  assertEquals([report.rateLimit, report.target.kind], [null, "embedded"]);
  const metrics = report.scenarios.flatMap((scenario) => scenario.metrics) as Scalar[];
  const valueOf = (name: string) => metrics.find((metric) => metric.name === name)?.value;
  assertEquals([valueOf("sessionBurst"), valueOf("ipBurst")], [50, 100]);
  const restarted = metrics.filter(({ at }) => String(at?.phase).startsWith("Restart"));
  assertEquals(new Set(restarted.map(({ at }) => at!.phase)).size, 2);
  assertStringIncludes(stdout, "session burst 50 calls");
});

Deno.test("cli: limits that differ from those expected exit 1", options, async () => {
  await using folder = await makeUserFolder();
  const { code, stdout } = await runCli([
    ...FAULTS,
    ...["--scenarios", "rate-limit", "--expect-limits", "session=20/5"],
  ], { folder: folder.path });
  assertEquals(code, 1);
  assertStringIncludes(stdout.replaceAll(/\s+/g, " "), "session burst is as expected: expected 20");
});

Deno.test("cli: malformed limits exit 2 with what is accepted", options, async () => {
  await using folder = await makeUserFolder();
  const { code, stderr } = await runCli(["--expect-limits", "50/5"], { folder: folder.path });
  assertEquals(code, 2);
  assertStringIncludes(stderr, 'Cannot use --expect-limits "50/5": accepted is session=BURST');
});
