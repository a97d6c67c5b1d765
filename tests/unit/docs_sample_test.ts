import { assert, assertEquals } from "@std/assert";
import { PROJECT_FOLDER } from "../support/run_cli.ts";

/** `deno task test` runs these; a bare `deno test` may not read. */
const ignore = Deno.permissions.querySync({ name: "read" }).state !== "granted";
const FOLDER = `${PROJECT_FOLDER}docs/sample`;

Deno.test("docs/sample is the report of a real run, without paths of a machine", {
  ignore,
}, async () => {
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
  assert(page.split("\n").length <= 640, "as long as a person reads");
  const shown = [...page.matchAll(/!\[[^\n]*\]\(([^)]*)\)/g)].map(([, path]) => path!);
  assertEquals(shown.toSorted(), names.toSorted(), "every chart is shown, and there");
});

Deno.test("what the README refers to is there, the sample's first screen too", {
  ignore,
}, async () => {
  const readme = await Deno.readTextFile(`${PROJECT_FOLDER}README.md`);
  const paths = [...readme.matchAll(/\]\((docs\/[^)#]*)\)/g)].map(([, path]) => path!);
  for (const wanted of ["docs/sample/first-screen.png", "docs/sample/report.html"]) {
    assert(paths.includes(wanted), wanted);
  }
  for (const path of paths) assert((await Deno.stat(PROJECT_FOLDER + path)).isFile, path);
});
