import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { renderCharts } from "../../lib/report/charts/mod.ts";
import { parseReport } from "../../lib/report/json.ts";
import { sampleText } from "../../lib/report/markdown/sample.ts";
import { PROJECT_FOLDER } from "../support/run_cli.ts";
import { sampleReport } from "../support/sample_report.ts";

/** `deno task test` runs these; a bare `deno test` may not read. */
const ignore = Deno.permissions.querySync({ name: "read" }).state !== "granted";
const FOLDER = `${PROJECT_FOLDER}docs/sample`;

Deno.test("the sample for the README is of the bundled server, with one chart and the summary", () => {
  const report = sampleReport("passed");
  const figures = { charts: renderCharts(report), folder: "docs/sample/charts" };
  const text = sampleText(report, figures);
  assertEquals(text.match(/!\[[^\n]*\]\(([^)]*)\)/g)?.length, 1);
  assertStringIncludes(text, "](docs/sample/charts/testing-pyramid.svg)");
  for (const part of ["**Status:** ✅", "**Can it be trusted?**", "**What to do next:**"]) {
    assertStringIncludes(text, part);
  }
  assertThrows(() => sampleText(report, { ...figures, charts: [] }), RangeError, "has no");
  report.target = { ...report.target, kind: "external", url: "ws://elsewhere" };
  assertThrows(() => sampleText(report, figures), RangeError, "it is of ws://elsewhere");
});

Deno.test("docs/sample is a whole report of a real run, without paths of a machine", {
  ignore,
}, async () => {
  const report = parseReport(await Deno.readTextFile(`${FOLDER}/report.json`), "report.json");
  assertEquals([report.target.kind, report.profile], ["embedded", "thorough"]);
  const charts = await Array.fromAsync(Deno.readDir(`${FOLDER}/charts`));
  const names = charts.map(({ name }) => `charts/${name}`);
  let bytes = 0;
  for (const name of ["report.json", "report.md", "report.html", ...names]) {
    const text = await Deno.readTextFile(`${FOLDER}/${name}`);
    bytes += text.length;
    assert(!/\/(?:home|root|tmp|Users|work)\//.test(text), name);
  }
  assert(names.length > 10 && bytes < 1_500_000, `${names.length} charts, ${bytes} bytes`);
  const page = await Deno.readTextFile(`${FOLDER}/report.md`);
  for (const [, path] of page.matchAll(/!\[[^\n]*\]\(([^)]*)\)/g)) assert(names.includes(path!));
});

Deno.test("the README shows the sample, and what it refers to is there", { ignore }, async () => {
  const readme = await Deno.readTextFile(`${PROJECT_FOLDER}README.md`);
  const [, shown = ""] = /<!-- sample:start -->([\s\S]*)<!-- sample:end -->/.exec(readme) ?? [];
  assertStringIncludes(shown, "Can it be trusted?");
  assert(readme.indexOf("<!-- sample:start -->") < 700, "at the top");
  const paths = [...readme.matchAll(/\]\((docs\/[^)#]*)\)/g)].map(([, path]) => path!);
  assert(paths.includes("docs/sample/report.html"));
  for (const path of paths) assert((await Deno.stat(PROJECT_FOLDER + path)).isFile, path);
});
