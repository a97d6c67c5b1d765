import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { makeUserFolder, NEEDS_PROCESSES, runCli, SHORT_RUN } from "../support/run_cli.ts";

const options = { ignore: NEEDS_PROCESSES };
const PAGE = "# Mine\r\n<!-- bench:start -->\r\n<!-- bench:end -->\r\nrest\r\n";

Deno.test("cli: report writes the files of the run, byte for byte", options, async () => {
  await using folder = await makeUserFolder();
  const run = [...SHORT_RUN, "--epochs", "3"];
  assertEquals((await runCli(run, { folder: folder.path })).code, 0);
  const before = await folder.files("reports");
  const args = ["report", "reports/report.json", "--out", "again", "--format", "json,md,html"];
  assertEquals((await runCli(args, { folder: folder.path })).code, 0);
  const after = await folder.files("again");
  const renamed = new Map(
    [...after].map(([name, text]) => [name.replace("again/", "reports/"), text]),
  );
  assertEquals(renamed, before);
  assertStringIncludes(before.get("reports/charts/message-throughput.svg")!, "<svg class=");
  assertStringIncludes(before.get("reports/report.md")!, "](charts/message-throughput.svg)");
});

Deno.test("cli: --inject fills a page and touches nothing else in it", options, async () => {
  await using folder = await makeUserFolder();
  await folder.write("page.md", PAGE);
  const run = [...SHORT_RUN, "--messages", "20", "--inject", "page.md"];
  const { code, stdout, stderr } = await runCli(run, { folder: folder.path });
  assertEquals(code, 0, stderr);
  assertStringIncludes(stdout, `${folder.path}/page.md`);
  const text = (await folder.files()).get("page.md")!;
  assert(text.startsWith("# Mine\r\n<!-- bench:start -->\r\n\r\n**✅ PASSED**"), text.slice(0, 80));
  assert(text.endsWith("\r\n\r\n<!-- bench:end -->\r\nrest\r\n"), text.slice(-80));
  assertEquals(text.replaceAll("\r\n", "").includes("\n"), false);
  assertStringIncludes(text, "](reports/charts/message-throughput.svg)");
  await folder.write("page.md", PAGE);
  const again = ["report", "reports/report.json", "--inject", "page.md", "--format", "json"];
  assertEquals((await runCli(again, { folder: folder.path })).code, 0);
  assertEquals((await folder.files()).get("page.md"), text);
});

Deno.test("cli: a page that cannot be filled is refused before measuring", options, async () => {
  await using folder = await makeUserFolder();
  await folder.write("bare.md", "# Mine\n");
  await folder.write("doubled.md", PAGE + PAGE);
  const refusals = {
    "bare.md": "it has no <!-- bench:start -->",
    "doubled.md": "it has 2 <!-- bench:start -->",
    "none.md": "No such file",
    ".": "it is not a file",
  };
  for (const [page, why] of Object.entries(refusals)) {
    const { code, stdout, stderr } = await runCli([...SHORT_RUN, "--inject", page], {
      folder: folder.path,
    });
    assertEquals([code, stdout], [2, ""], stderr);
    assertStringIncludes(stderr, `Cannot use --inject "${page}"`);
    assertStringIncludes(stderr, why);
    assert(!stderr.includes("[1/1]"), "nothing ran");
  }
  assertEquals([...(await folder.files()).keys()].sort(), ["bare.md", "doubled.md"]);
});

Deno.test("cli: report refuses an unmarked page and another report version", options, async () => {
  await using folder = await makeUserFolder();
  await runCli([...SHORT_RUN, "--format", "json"], { folder: folder.path });
  await folder.write("bare.md", "# Mine\n");
  const bare = await runCli(["report", "reports/report.json", "--inject", "bare.md"], {
    folder: folder.path,
  });
  assertEquals(bare.code, 2);
  assertStringIncludes(bare.stderr, "it has no <!-- bench:start -->");
  const report = await folder.report();
  for (const version of [1, 3]) {
    await folder.write("other.json", JSON.stringify({ ...report, schemaVersion: version }));
    const { code, stderr } = await runCli(["report", "other.json"], { folder: folder.path });
    assertEquals(code, 2);
    assertStringIncludes(stderr, `its schemaVersion is ${version}, accepted is 2`);
  }
});
