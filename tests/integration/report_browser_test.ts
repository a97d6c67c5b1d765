/**
 * report.html in a real browser: no errors, the numbers of report.json, no injected scripts, and
 * readable on a phone, in dark mode and on paper.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { BrowserContextOptions, Page } from "playwright-core";
import type { Figure } from "../../lib/report/document.ts";
import type { Report } from "../../lib/schema.ts";
import { renderHtml } from "../../lib/report/render/html.ts";
import { buildDocument } from "../../lib/report/sections/mod.ts";
import { findChromium, openFile, startBrowser, type WatchedPage } from "../support/browser.ts";
import { testWith } from "../support/npm_peers.ts";
import { readTable, shownText, sidewaysScroll } from "../support/page_reader.ts";
import { makeUserFolder, runCli } from "../support/run_cli.ts";
import { hostileReport, SAMPLE_KINDS, sampleReport } from "../support/sample_report.ts";
import { startScriptedServer } from "../support/scripted_server.ts";

const chromium = await findChromium();
type Open = (html: string, options?: BrowserContextOptions) => Promise<WatchedPage>;

/** A test with a browser; `open` writes the page to a new folder and opens it. */
function testInBrowser(name: string, test: (open: Open, folder: string) => Promise<void>): void {
  Deno.test(testWith(`report.html: ${name}`, chromium.missing), async () => {
    await using folder = await makeUserFolder();
    await using browser = await startBrowser(chromium.path!);
    let count = 0;
    await test(async (html, options) => {
      const path = `${folder.path}/page-${++count}.html`;
      await Deno.writeTextFile(path, html);
      return await openFile(browser, path, options);
    }, folder.path);
  });
}

/** A placeholder chart for every scenario. */
function figuresOf(report: Report): Map<string, Figure> {
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" width="520" height="300" viewBox="0 0 520 300" role="img" ' +
    'aria-label="A chart"><style>.sample{fill:#0969da}</style><rect class="sample" width="520" height="300"/></svg>';
  return new Map(report.scenarios.map(({ name }, index) => [name, {
    id: `figure-${index}`,
    title: "A chart",
    svg,
    alt: "A chart",
  }]));
}

/** The page as the program writes it, with placeholder charts. */
function pageOf(report: Report): string {
  return renderHtml(buildDocument(report, { charts: figuresOf(report), audience: "page" }));
}

testInBrowser("cards, scenarios and links match report.json", async (open) => {
  const report = sampleReport("passed");
  await using watched = await open(pageOf(report));
  const { page } = watched;
  const cards = await page.locator(".cards strong").allInnerTexts();
  assertEquals(cards, ["1,150 msg/s", "1,770 msg/s", "820 µs", "6.50 ms"]);
  const rows = await readTable(page, "Scenarios");
  assertEquals(rows.map((row) => row[1]), report.scenarios.map(({ title }) => title));
  assertEquals(rows[1]!.slice(2, 4), ["latency 820 µs ± 3 %", "1,150 msg/s"]);
  const spaceOf = (selector: string) =>
    page.evaluate(`getComputedStyle(document.querySelector("${selector}")).whiteSpace`);
  assertEquals(await Promise.all(["h1 code", "code.long"].map(spaceOf)), ["nowrap", "normal"]);
  for (const text of ["repeat within", "Where the time of a call goes", "Overhead breakdown"]) {
    const box = await page.locator("main").getByText(text).first().boundingBox();
    assert(box !== null && box.y + box.height < 900, `${text} is on the first screen`);
  }
  await page.locator("nav").getByText("Reconnection").click();
  const section = await page.getByRole("heading", { name: "Reconnection" }).boundingBox();
  assert(section !== null && section.y < 300 && section.y > -10, `${section?.y}`);
  assertEquals(await watched.misdeeds(), []);
});

testInBrowser("a standard report, all folded, is at most 9,000 pixels high", async (open) => {
  await using watched = await open(pageOf(sampleReport("passed")));
  const height = await watched.page.evaluate<number>("document.documentElement.scrollHeight");
  assert(height <= 9000, `${height}`);
});

/** Each executes if it gets into a page unescaped, in one place or another. */
const ATTACKS = [
  "</script><script>window.ran='script'</script>",
  "</style><svg onload=\"window.ran='svg'\"><script>window.ran='svg script'</script></svg>",
  "<img src=x onerror=\"window.ran='image'\">",
  '" autofocus onfocus="window.ran=\'attribute\'" x="',
  "' onmouseover='window.ran=\"quote\"",
  '<a href="javascript:window.ran=1">link</a><iframe srcdoc="<script>top.ran=1</script>"></iframe>',
  "javascript:window.ran='address'",
  "</title></textarea></svg></details><base href='http://127.0.0.1:1/'><script>alert(1)</script>",
  "<meta http-equiv='refresh' content='0;url=javascript:alert(1)'>",
];

testInBrowser("the attacks do run in an unprotected page", async (open) => {
  await using naive = await open(`<!doctype html><p>${ATTACKS[2]}`);
  await naive.page.waitForFunction("window.ran !== undefined");
  assert((await naive.misdeeds()).includes("ran: image"));
});

testInBrowser("hostile text stays text everywhere", async (open) => {
  for (const attack of ATTACKS) {
    await using watched = await open(pageOf(hostileReport(attack)));
    const { page } = watched;
    await unfold(page);
    assertEquals(await watched.misdeeds(), [], attack);
    assert((await shownText(page)).includes(attack), attack);
    assertEquals(await foreignElements(page), [], attack);
  }
});

/** Opens everything that is folded. */
async function unfold(page: Page): Promise<void> {
  await page.evaluate("document.querySelectorAll('details').forEach((one) => one.open = true)");
}

/** Elements the page never uses, attributes that execute, and links that leave the page. */
async function foreignElements(page: Page): Promise<string[]> {
  return await page.evaluate<string[]>(`[...document.querySelectorAll("*")].flatMap((element) => {
    const tag = element.localName;
    const bad = ["img", "iframe", "object", "embed", "form", "input", "link", "base", "textarea"];
    const names = element.getAttributeNames();
    return [
      ...(bad.includes(tag) ? [tag] : []),
      ...(tag === "script" && element.type !== "module" ? [tag] : []),
      ...names.filter((name) => /^on|^src|^srcdoc$|^action$/.test(name)),
      ...(names.includes("href") && !element.getAttribute("href").startsWith("#") ? ["href"] : []),
    ];
  })`);
}

testInBrowser("text of a hostile server in a real run stays text", async (open, folder) => {
  const [attack] = ATTACKS;
  await using server = startScriptedServer((peer, message) => {
    const { op, request_id } = message ?? {};
    if (op === "hello") return peer.send({ op: "hello_ack", ok: true });
    if (op === "list_tools") return peer.send({ op: "list_tools_res", tools: [{ name: attack }] });
    peer.send({ op: "call_tool_res", request_id, error: { code: attack, message: ATTACKS[2] } });
  });
  const args = ["--url", server.url, "--tool", attack!, "--profile", "quick"];
  const { code } = await runCli(args, { folder });
  assert(code !== 0 && code !== 2, `${code}`);
  const html = await Deno.readTextFile(`${folder}/reports/report.html`);
  await using watched = await open(html);
  await unfold(watched.page);
  assertEquals(await watched.misdeeds(), []);
  assertEquals(await foreignElements(watched.page), []);
  assert((await shownText(watched.page)).includes(attack!));
});

testInBrowser("its content policy blocks a script, a style and a request", async (open) => {
  await using watched = await open(pageOf(sampleReport("passed")));
  await watched.page.evaluate(`(() => {
    const script = document.createElement("script");
    script.textContent = "window.ran = 'script'";
    const style = document.createElement("style");
    style.textContent = "body { color: red }";
    const image = document.createElement("img");
    image.src = "http://127.0.0.1:1/x.png";
    document.body.append(script, style, image);
  })()`);
  await watched.page.waitForFunction("window.violations.length >= 3");
  const misdeeds = await watched.misdeeds();
  assert(!misdeeds.some((one) => one.startsWith("ran")), `${misdeeds}`);
  const violations = misdeeds.filter((one) => one.startsWith("violation"));
  assertEquals(violations.map((one) => one.split(" ")[1]).sort(), [
    "img-src",
    "script-src-elem",
    "style-src-elem",
  ]);
});

testInBrowser("a phone scrolls tables and charts, never the page", async (open) => {
  for (const report of SAMPLE_KINDS.map(sampleReport)) {
    await using watched = await open(pageOf(report), { viewport: { width: 390, height: 740 } });
    await unfold(watched.page);
    assertEquals(await sidewaysScroll(watched.page), 0);
  }
});

testInBrowser("axe finds nothing serious in light and dark mode, on a phone too", async (open) => {
  const axe = await import("axe-core");
  const cases = [
    [sampleReport("thorough"), { colorScheme: "light", width: 1280 }],
    [sampleReport("thorough"), { colorScheme: "dark", width: 360 }],
    [sampleReport("failed"), { colorScheme: "dark", width: 1280 }],
    [sampleReport("hostile"), { colorScheme: "light", width: 360 }],
  ] as const;
  for (const [report, { colorScheme, width }] of cases) {
    const viewport = { width, height: 900 };
    await using watched = await open(pageOf(report), { colorScheme, viewport });
    const { page } = watched;
    await unfold(page);
    await page.evaluate(axe.default.source);
    const found = await page.evaluate<string[]>(`axe.run().then(({ violations }) => violations
      .filter(({ impact }) => ["serious", "critical"].includes(impact))
      .flatMap(({ id, nodes }) => nodes.slice(0, 3).map(({ html }) => id + ": " + html)))`);
    assertEquals(found, [], `${colorScheme}, ${width}`);
  }
});

testInBrowser("it is complete without scripts", async (open) => {
  const html = pageOf(sampleReport("thorough"));
  await using scripted = await open(html);
  await using plain = await open(html, { javaScriptEnabled: false });
  const numbers = (page: Page) => page.locator("td").allTextContents();
  const all = await numbers(plain.page);
  assert(all.length > 100);
  assertEquals(all, await numbers(scripted.page));
  assertEquals(await plain.page.locator("button").count(), 0);
  await plain.page.locator("summary").first().click();
  assertEquals(await plain.page.locator("details table").first().isVisible(), true);
});

testInBrowser("the keyboard reaches content, tables and charts", async (open) => {
  await using watched = await open(pageOf(sampleReport("thorough")));
  const { page } = watched;
  const focused = () => page.evaluate<string>("document.activeElement.innerText.slice(0, 40)");
  await page.keyboard.press("Tab");
  assertEquals(await focused(), "Skip to the report");
  assert((await page.locator(".skip").boundingBox())!.x >= 0);
  await page.keyboard.press("Enter");
  assertEquals(await page.evaluate("document.activeElement.localName"), "main");
  const levels = await page.locator("h1, h2, h3").evaluateAll((all) =>
    (all as unknown as { localName: string }[]).map(({ localName }) => Number(localName[1]))
  );
  assertEquals(levels[0], 1);
  for (const [index, level] of levels.slice(1).entries()) assert(level <= levels[index]! + 1);
  const unreachable = await page.evaluate<number>(
    "[...document.querySelectorAll('.scroll')].filter((one) => one.tabIndex !== 0).length",
  );
  assertEquals(unreachable, 0);
});

testInBrowser("printed pages are light, and no chart is cut off", async (open) => {
  await using watched = await open(pageOf(sampleReport("thorough")), {
    colorScheme: "dark",
    viewport: { width: 720, height: 1000 },
  });
  const { page } = watched;
  const background = () => page.evaluate("getComputedStyle(document.body).backgroundColor");
  assertEquals(await background(), "rgb(13, 17, 23)");
  await page.emulateMedia({ media: "print" });
  assertEquals(await background(), "rgb(255, 255, 255)");
  const widest = await page.evaluate<number>(
    "Math.max(...[...document.querySelectorAll('.picture svg')].map((one) => one.getBoundingClientRect().right))",
  );
  assert(widest > 0 && widest <= 720, `${widest}`);
  assertEquals(await page.locator("nav").isVisible(), false);
  const bytes = await page.pdf({ format: "A4" });
  assertEquals(new TextDecoder().decode(bytes.subarray(0, 5)), "%PDF-");
});
