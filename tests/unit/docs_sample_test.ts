import { assert, assertEquals } from "@std/assert";
import { PROJECT_FOLDER } from "../support/run_cli.ts";
import { NO_READ as ignore } from "../support/files.ts";

const FOLDER = `${PROJECT_FOLDER}docs/sample`;

Deno.test("docs/sample is a complete report without local paths", { ignore }, async () => {
  const charts = await Array.fromAsync(Deno.readDir(`${FOLDER}/charts`));
  const names = charts.map(({ name }) => `charts/${name}`);
  let bytes = 0;
  for (const name of ["report.md", "report.html", ...names]) {
    const text = await Deno.readTextFile(`${FOLDER}/${name}`);
    bytes += text.length;
    assert(!/\/(?:home|root|tmp|Users|work)\//.test(text), name);
  }
  assert(names.length > 10 && bytes < 1_500_000, `${names.length} charts, ${bytes} bytes`);
  const page = await Deno.readTextFile(`${FOLDER}/report.md`);
  assert(page.split("\n").length <= 640, "too long to read");
  const shown = [...page.matchAll(/!\[[^\n]*\]\(([^)]*)\)/g)].map(([, path]) => path!);
  assertEquals(shown.toSorted(), names.toSorted(), "shown charts and chart files differ");
});

Deno.test("every document and image that README.md links to exists", { ignore }, async () => {
  const readme = await Deno.readTextFile(`${PROJECT_FOLDER}README.md`);
  const paths = [...readme.matchAll(/\]\((docs\/[^)#]*)\)/g)].map(([, path]) => path!);
  for (const wanted of ["docs/sample/first-screen.png", "docs/sample/report.html"]) {
    assert(paths.includes(wanted), wanted);
  }
  for (const path of paths) assert((await Deno.stat(PROJECT_FOLDER + path)).isFile, path);
});
