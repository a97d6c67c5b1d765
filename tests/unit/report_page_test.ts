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
import { makeTempFolder, namesIn, NO_FILES as ignore } from "../support/files.ts";
import { hostileReport } from "../support/sample_report.ts";

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

Deno.test("a page is filled with its own line breaks, CRLF or LF", () => {
  const page = encode(`a\r\n${START_MARK}\r\n${END_MARK}\r\nb\nc`);
  assertEquals(
    decode(fillPage(page, "1\n2")),
    `a\r\n${START_MARK}\r\n\r\n1\r\n2\r\n\r\n${END_MARK}\r\nb\nc`,
  );
  assert(!decode(fillPage(encode(MARKS), "1\n2")).includes("\r"));
  // With both marks in the last line, the lines before decide.
  const last = encode(`a\r\n${START_MARK}${END_MARK}`);
  assertEquals(decode(fillPage(last, "1")), `a\r\n${START_MARK}\r\n\r\n1\r\n\r\n${END_MARK}`);
});

Deno.test("property: bytes outside the marks are kept, and filling again changes nothing", () => {
  const bytes = fc.uint8Array({ maxLength: 60 });
  fc.assert(fc.property(bytes, bytes, bytes, fc.lorem(), (before, inside, after, text) => {
    const marked = [...encode(START_MARK), ...inside, ...encode(END_MARK)];
    const page = Uint8Array.from([...before, ...marked, ...after]);
    const filled = fillPage(page, text);
    const head = before.length + START_MARK.length;
    const tail = after.length + END_MARK.length;
    assertEquals(filled.slice(0, head), page.slice(0, head));
    assertEquals(filled.slice(-tail), page.slice(-tail));
    assertEquals(fillPage(filled, text), filled);
  }));
});

Deno.test("missing, repeated and swapped marks are reported", () => {
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

Deno.test("no text from the server can end the filled part or begin another", () => {
  const report = hostileReport(`${END_MARK} ${START_MARK} --> <details> </details>`);
  const document = buildDocument(report, { charts: new Map(), audience: "summary" });
  const text = renderMarkdown(document, { chartPath: () => null, titleLevel: 0 });
  assertEquals(markProblem(fillPage(encode(MARKS), text)), null);
  assert(text.length > 1000 && !text.replaceAll(/<\/?(?:details|summary)>/g, "").includes("<"));
});

Deno.test("charts are linked by a URL relative to the page", {
  ignore: Deno.build.os === "windows",
}, () => {
  assertEquals(folderFrom("/a/docs/page.md", "/a/reports/charts"), "../reports/charts");
  assertEquals(
    folderFrom("/a/page.md", "/a/my (1) reports/charts"),
    "my%20%281%29%20reports/charts",
  );
  assertEquals(folderFrom("/a/ü/page.md", "/a/ü/charts"), "charts");
});

Deno.test("an unusable page is refused with what is accepted", { ignore }, async () => {
  await using folder = await makeTempFolder({ "unmarked.md": "no marks", "page.md": MARKS });
  const { path } = folder;
  const message = async (page: string) =>
    (await assertRejects(() => checkPage(page), ReportWriteError)).message;
  const accepted = `accepted is a file with one ${START_MARK} and, after it, one ${END_MARK}`;
  assertStringIncludes(
    await message(path),
    `Cannot fill ${path} between its marks: it is not a file; ${accepted}`,
  );
  assertStringIncludes(await message(`${path}/none.md`), "none.md between its marks: No such file");
  assertStringIncludes(
    await message(`${path}/unmarked.md`),
    `it has no ${START_MARK}; ${accepted}`,
  );
  await checkPage(`${path}/page.md`);
  assertEquals(await namesIn(path), ["page.md", "unmarked.md"]);
});
