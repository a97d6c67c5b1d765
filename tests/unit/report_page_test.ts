import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import {
  checkPage,
  END_MARK,
  fillPage,
  folderFrom,
  markProblem,
  START_MARK,
} from "../../lib/cli/injected_page.ts";
import { ReportWriteError } from "../../lib/cli/whole_files.ts";
import { renderMarkdown } from "../../lib/report/render/markdown.ts";
import { buildDocument } from "../../lib/report/sections/mod.ts";
import { hostileReport } from "../support/sample_report.ts";

/** `deno task test` runs these; a bare `deno test` may neither read nor write. */
const ignore = ["read", "write"].some((name) =>
  Deno.permissions.querySync({ name: name as "read" | "write" }).state !== "granted"
);

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const MARKS = `${START_MARK}\n${END_MARK}`;

Deno.test("a page is filled between its marks", () => {
  const page = encode(`# Mine\n\n${START_MARK}\nold\n${END_MARK}\n\nend`);
  assertEquals(
    decode(fillPage(page, "new\nlines\n")),
    `# Mine\n\n${START_MARK}\n\nnew\nlines\n\n${END_MARK}\n\nend`,
  );
});

Deno.test("a page with CRLF is filled with CRLF, and one without stays without", () => {
  const page = encode(`a\r\n${START_MARK}\r\n${END_MARK}\r\nb\nc`);
  assertEquals(
    decode(fillPage(page, "1\n2")),
    `a\r\n${START_MARK}\r\n\r\n1\r\n2\r\n\r\n${END_MARK}\r\nb\nc`,
  );
  assert(!decode(fillPage(encode(MARKS), "1\n2")).includes("\r"));
  // Both marks in the last line: the line ends are those of the lines before.
  const last = encode(`a\r\n${START_MARK}${END_MARK}`);
  assertEquals(decode(fillPage(last, "1")), `a\r\n${START_MARK}\r\n\r\n1\r\n\r\n${END_MARK}`);
});

Deno.test("every byte outside the marks stays, whatever it is; filling again changes nothing", () => {
  const bytes = fc.uint8Array({ maxLength: 60 });
  fc.assert(fc.property(bytes, bytes, bytes, fc.lorem(), (before, inside, after, text) => {
    const page = Uint8Array.from([
      ...before,
      ...encode(START_MARK),
      ...inside,
      ...encode(END_MARK),
      ...after,
    ]);
    const filled = fillPage(page, text);
    assertEquals(
      filled.slice(0, before.length + START_MARK.length),
      page.slice(0, before.length + START_MARK.length),
    );
    const tail = after.length + END_MARK.length;
    assertEquals(filled.slice(-tail), page.slice(-tail));
    assertEquals(fillPage(filled, text), filled);
  }));
});

Deno.test("marks that are missing, doubled or in the wrong order are told", () => {
  const problem = (text: string) => markProblem(encode(text));
  assertEquals(problem(MARKS), null);
  assertEquals(problem("a page"), `it has no ${START_MARK}`);
  assertEquals(problem(START_MARK), `it has no ${END_MARK}`);
  assertEquals(problem(END_MARK), `it has no ${START_MARK}`);
  assertEquals(problem(MARKS + START_MARK), `it has 2 ${START_MARK}`);
  assertEquals(problem(MARKS + END_MARK + END_MARK), `it has 3 ${END_MARK}`);
  assertEquals(
    problem(`${END_MARK}\n${START_MARK}`),
    `its ${END_MARK} comes before its ${START_MARK}`,
  );
});

Deno.test("nothing that a server says can end the part or begin another", () => {
  const report = hostileReport(`${END_MARK} ${START_MARK} --> <details> </details>`);
  const document = buildDocument(report, { charts: new Map(), audience: "summary" });
  const text = renderMarkdown(document, { chartPath: () => null, titleLevel: 0 });
  assertEquals(markProblem(fillPage(encode(MARKS), text)), null);
  assert(text.length > 1000 && !text.replaceAll(/<\/?(?:details|summary)>/g, "").includes("<"));
});

Deno.test("the charts are found from the page by a relative path, as a URL", {
  ignore: Deno.build.os === "windows",
}, () => {
  assertEquals(folderFrom("/a/docs/page.md", "/a/reports/charts"), "../reports/charts");
  assertEquals(
    folderFrom("/a/page.md", "/a/my (1) reports/charts"),
    "my%20%281%29%20reports/charts",
  );
  assertEquals(folderFrom("/a/ü/page.md", "/a/ü/charts"), "charts");
});

Deno.test("a page that cannot be filled is refused with what is accepted", { ignore }, async () => {
  const folder = await Deno.makeTempDir();
  try {
    const message = async (path: string) =>
      (await assertRejects(() => checkPage(path), ReportWriteError)).message;
    const accepted = `accepted is a file with one ${START_MARK} and, after it, one ${END_MARK}`;
    assertStringIncludes(
      await message(folder),
      `Cannot fill ${folder} between its marks: it is not a file; ${accepted}`,
    );
    assertStringIncludes(
      await message(`${folder}/none.md`),
      "none.md between its marks: No such file",
    );
    await Deno.writeTextFile(`${folder}/page.md`, "no marks");
    assertStringIncludes(
      await message(`${folder}/page.md`),
      `it has no ${START_MARK}; ${accepted}`,
    );
    await Deno.writeTextFile(`${folder}/page.md`, MARKS);
    await checkPage(`${folder}/page.md`);
    assertEquals((await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name), [
      "page.md",
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
