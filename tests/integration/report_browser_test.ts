/**
 * report.html in a real browser: a quiet page, whose numbers are those of report.json, that sorts, shows the
 * values of its charts, runs nobody's text, and can be read on a phone, in the dark and on paper.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { BrowserContextOptions, Page } from "playwright-core";
import type { Distribution, Report, Scalar } from "../../lib/schema.ts";
import { renderCharts } from "../../lib/report/charts/mod.ts";
import { renderHtml } from "../../lib/report/html.ts";
import { findChromium, openFile, startBrowser, type WatchedPage } from "../support/browser.ts";
import { testWith } from "../support/npm_peers.ts";
import { column, readTable, saysValue, shownText, sidewaysScroll } from "../support/page_reader.ts";
import { makeUserFolder, runCli } from "../support/run_cli.ts";
import { chartedReport, hostileChartedReport } from "../support/sample_charts.ts";
import { hostileReport, SAMPLE_KINDS, sampleReport } from "../support/sample_report.ts";
import { startScriptedServer } from "../support/scripted_server.ts";

const chromium = await findChromium();
type Open = (html: string, options?: BrowserContextOptions) => Promise<WatchedPage>;

/** A test with a browser; `open` shows a page from a file in a new folder. */
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

/** A page as the program writes it, its charts within. */
function pageOf(report: Report): string {
  return renderHtml(report, renderCharts(report));
}

/** Those in the tables of metrics; the steps of sweeps have tables of their own. */
function distributions(report: Report): { scenario: string; metric: Distribution }[] {
  return report.scenarios.flatMap(({ name, metrics }) =>
    metrics.flatMap((metric) =>
      metric.kind === "distribution" && metric.at === undefined ? [{ scenario: name, metric }] : []
    )
  );
}

function scalars(report: Report): { scenario: string; metric: Scalar }[] {
  return report.scenarios.flatMap(({ name, metrics }) =>
    metrics.flatMap((metric) =>
      metric.kind === "scalar" && metric.at === undefined ? [{ scenario: name, metric }] : []
    )
  );
}

/** The page of a real run of the bundled server, and its report.json. */
async function realRun(folder: string): Promise<{ report: Report; html: string }> {
  const run = ["--profile", "quick", "--rounds", "5"];
  const { code, stderr } = await runCli(run, { folder });
  assertEquals(code, 0, stderr);
  return {
    report: JSON.parse(await Deno.readTextFile(`${folder}/reports/report.json`)),
    html: await Deno.readTextFile(`${folder}/reports/report.html`),
  };
}

testInBrowser("a real run is quiet, and its numbers are report.json's", async (open, folder) => {
  const { report, html } = await realRun(folder);
  await using watched = await open(html);
  const { page } = watched;
  await assertTimes(page, report);
  await assertScalars(page, report);
  await assertAccounts(page, report);
  await assertFirstScreen(page, report);
  await assertChart(page, report);
  assertEquals(await watched.misdeeds(), []);
});

async function assertTimes(page: Page, report: Report): Promise<void> {
  const { rows, headings } = await readTable(page, "Times");
  const expected = distributions(report);
  assertEquals(headings.slice(0, 9), [
    ...["Scenario", "Metric", "Samples", "Min", "Average", "Median", "P95", "P99", "Max"],
  ]);
  assertEquals(rows.length, expected.length);
  for (const [index, { scenario, metric }] of expected.entries()) {
    const { count, min, mean, p50, p95, p99, max } = metric;
    const [first, name, ...cells] = rows[index]!;
    assertEquals([first!.text, name!.text], [scenario, metric.name]);
    for (const [nth, value] of [count, min, mean, p50, p95, p99, max].entries()) {
      const { text, value: shown } = cells[nth]!;
      assertEquals(shown, value, `${scenario} ${metric.name} ${headings[nth + 2]}`);
      assert(saysValue(text, value), `${text} is not ${value}`);
    }
  }
}

async function assertScalars(page: Page, report: Report): Promise<void> {
  const { rows } = await readTable(page, "Other metrics");
  const shown = rows.map(([scenario, name, value, rounds]) => [
    ...[scenario!.text, name!.text, value!.value, rounds!.value],
  ]);
  assertEquals(
    shown,
    scalars(report).map(({ scenario, metric: { name, value, rounds } }) => [
      ...[scenario, name, value, rounds.length],
    ]),
  );
}

/** The ledger, the checks and the environment. */
async function assertAccounts(page: Page, report: Report): Promise<void> {
  const calls = await readTable(page, "Calls");
  const frames = await readTable(page, "Frames");
  for (const { name, ledger } of report.scenarios) {
    const { sent, ok, cached, toolError, rateLimited, timeout, connectionLost } = ledger;
    const row = calls.rows.find(([first]) => first!.text === name)!;
    assertEquals(
      row.slice(1, 10).map(({ value }) => value),
      [sent, ok, cached, toolError, rateLimited, timeout, connectionLost, 0, 0],
    );
    assertEquals(row[1]!.text, sent.toLocaleString("en-US"));
    const { received, final, progress, late, duplicate, orphan, malformed } = ledger.frames;
    const frameRow = frames.rows.find(([first]) => first!.text === name)!;
    assertEquals(
      frameRow.slice(1).map(({ value }) => value),
      [received, final, progress, late, duplicate, orphan, malformed],
    );
  }
  for (const { name, checks, notMeasured } of report.scenarios) {
    const { rows } = await readTable(page, `Checks of ${name}`);
    const told = rows.map(([mark, ...rest]) => [mark!.text, ...rest.map(({ text }) => text)]);
    assertEquals(told, [
      ...checks.map(({ passed, name, expected, observed }) => [
        ...[passed ? "✅" : "❌", name, expected, observed],
      ]),
      ...notMeasured.map(({ name, reason }) => ["–", name, "–", `not measured: ${reason}`]),
    ]);
  }
  const environment = (await readTable(page, "Environment")).rows.map((row) => row[1]!.text);
  assert(environment.some((text) => text.includes(report.environment.cpuModel)));
  assert(environment.some((text) => text.includes(report.environment.deno)));
}

/** What was measured, whether to trust it, the five numbers and what to do next, without scrolling. */
async function assertFirstScreen(page: Page, report: Report): Promise<void> {
  const metric = (scenario: string, name: string) =>
    report.scenarios.find((one) => one.name === scenario)!.metrics
      .find((one) => one.name === name)!;
  const scalar = (scenario: string) => metric(scenario, "throughput") as Scalar;
  const latency = metric("message-throughput", "latency") as Distribution;
  const establish = metric("connection-establishment", "establish") as Distribution;
  const shown = await page.locator(".cards strong").allInnerTexts();
  const values = [
    ...[scalar("message-throughput").value, scalar("concurrent-connections").value],
    ...[latency.mean, latency.p95, establish.p50],
  ];
  assertEquals(shown.length, values.length);
  for (const [index, value] of values.entries()) {
    assert(saysValue(shown[index]!, value), `${shown[index]} is not ${value}`);
  }
  for (const name of ["Can it be trusted?", "What is wrong", "What to do next"]) {
    const box = await page.getByText(name, { exact: true }).first().boundingBox();
    assert(box !== null && box.y + box.height < 900, `${name} is on the first screen`);
  }
  assert((await shownText(page)).includes(report.target.url));
}

/** Pointing at a round, and walking to it by keys, shows what report.json says of it. */
async function assertChart(page: Page, report: Report): Promise<void> {
  const { name, metrics } = report.scenarios.find(({ name }) => name === "message-throughput")!;
  const { rounds } = metrics.find((metric): metric is Scalar => metric.name === "throughput")!;
  const title = new RegExp(`^Chart: Message Throughput: throughput`);
  const picture = page.getByRole("region", { name: title });
  const tip = page.locator("figure", { has: picture }).getByRole("status");
  await picture.scrollIntoViewIfNeeded();
  const { x, y, width, height } = (await picture.boundingBox())!;
  for (const [index, value] of rounds.entries()) {
    // Round by round from left to right: between the first and the last, the pointer meets each.
    await page.mouse.move(x + width * (0.15 + 0.7 * index / rounds.length), y + height / 2);
    await page.mouse.move(x + width * (0.19 + 0.7 * index / rounds.length), y + height / 2);
    assertEquals(await tip.locator("strong").innerText(), `Round ${index + 1}`, name);
    assert(saysValue(await tip.locator("b").innerText(), value), await tip.innerText());
    await assertOnDot(page);
  }
  await page.mouse.move(0, 0);
  assertEquals(await tip.isVisible(), false);
  await picture.focus();
  await page.keyboard.press("End");
  assertEquals(await tip.locator("strong").innerText(), `Round ${rounds.length}`);
  await page.keyboard.press("ArrowLeft");
  assert(saysValue(await tip.locator("b").innerText(), rounds.at(-2)!));
  await page.keyboard.press("Escape");
  assertEquals(await tip.isVisible(), false);
}

/** The mark of what is shown lies on a dot that the chart has drawn itself. */
async function assertOnDot(page: Page): Promise<void> {
  const distance = await page.evaluate<number>(`(() => {
    const mark = document.querySelector("figure svg circle");
    const [x, y] = [mark.cx.baseVal.value, mark.cy.baseVal.value];
    const dots = mark.closest("svg").querySelectorAll("path[transform]");
    const places = [...dots].map((dot) => dot.getCTM === undefined ? null : dot.transform.baseVal[0].matrix);
    return Math.min(...places.map(({ e, f }) => Math.hypot(e - x, f - y)));
  })()`);
  assert(distance < 0.5, `the mark is ${distance} pixels from the next dot`);
}

testInBrowser("a click and a key sort a table by value", async (open) => {
  const report = chartedReport();
  await using watched = await open(pageOf(report));
  const { page } = watched;
  const expected = distributions(report).map(({ metric }) => metric.p95);
  const known = expected.filter((ns) => ns !== null);
  const missing = expected.filter((ns) => ns === null);
  const rising = known.toSorted((a, b) => a - b);
  const region = page.getByRole("region", { name: "Times", exact: true });
  const heading = region.getByRole("columnheader", { name: "P95" });
  const seen = async () => {
    const table = await readTable(page, "Times");
    const values = column(table, "P95").map(({ value }) => value);
    return { values, sorted: table.sorted.filter((one) => one !== null && one !== "none") };
  };
  assert(missing.length > 0 && known.length > 10);
  assertEquals(await seen(), { values: expected, sorted: [] });
  await heading.getByRole("button").click();
  assertEquals(await seen(), { values: [...rising, ...missing], sorted: ["ascending"] });
  await page.keyboard.press("Enter");
  const falling = rising.toReversed();
  assertEquals(await seen(), { values: [...falling, ...missing], sorted: ["descending"] });
  await page.keyboard.press("Space");
  assertEquals(await seen(), { values: expected, sorted: [] });
  // The next heading by the keyboard alone, which takes the order over.
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  const { values, sorted } = await seen();
  assertEquals(sorted, ["ascending"]);
  const p99 = column(await readTable(page, "Times"), "P99").flatMap(({ value }) => value ?? []);
  assertEquals(p99, p99.toSorted((a, b) => a - b));
  assertEquals(values.length, expected.length);
  assertEquals(await watched.misdeeds(), []);
});

testInBrowser("values of several units are sorted within each", async (open) => {
  const report = chartedReport();
  await using watched = await open(pageOf(report));
  const region = watched.page.getByRole("region", { name: "Other metrics" });
  await region.getByRole("button", { name: "Median of rounds" }).click();
  const { rows } = await readTable(watched.page, "Other metrics");
  const expected = scalars(report).map(({ metric: { unit, value } }) => ({ unit, value }))
    .sort((a, b) => a.unit === b.unit ? a.value - b.value : a.unit < b.unit ? -1 : 1);
  assertEquals(rows.map((row) => row[2]!.value), expected.map(({ value }) => value));
});

/** Each runs if it gets into a page, by one way or another. */
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

testInBrowser("the attacks do run in a page that lets them", async (open) => {
  await using naive = await open(`<!doctype html><p>${ATTACKS[2]}`);
  await naive.page.waitForFunction("window.ran !== undefined");
  assert((await naive.misdeeds()).includes("ran: image"));
});

testInBrowser("hostile text stays text, everywhere", async (open) => {
  for (const attack of ATTACKS) {
    await using watched = await open(pageOf(hostileReport(attack)));
    const { page } = watched;
    await useEverything(page);
    assertEquals(await watched.misdeeds(), [], attack);
    assert((await shownText(page)).includes(attack), attack);
    assertEquals(await foreignElements(page), [], attack);
  }
  await using watched = await open(pageOf(hostileChartedReport()));
  await useEverything(watched.page);
  assertEquals(await watched.misdeeds(), []);
  assertEquals(await foreignElements(watched.page), []);
});

/** Opens what is folded, sorts by each heading, and walks over each chart. */
async function useEverything(page: Page): Promise<void> {
  await page.evaluate("document.querySelectorAll('details').forEach((one) => one.open = true)");
  await page.evaluate("document.querySelectorAll('th button').forEach((one) => one.click())");
  await page.evaluate(`for (const picture of document.querySelectorAll(".picture")) {
    picture.focus();
    for (const key of ["Home", "ArrowRight", "End"]) {
      picture.dispatchEvent(new KeyboardEvent("keydown", { key, cancelable: true }));
    }
  }`);
}

/** Elements that the page has no use for, attributes that run, and addresses but those within it. */
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

testInBrowser("what a hostile server says in a real run stays text", async (open, folder) => {
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
  await useEverything(watched.page);
  assertEquals(await watched.misdeeds(), []);
  assertEquals(await foreignElements(watched.page), []);
  assert((await shownText(watched.page)).includes(attack!));
});

testInBrowser("its policy keeps out a script, a style and a request", async (open) => {
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
  const fast = sampleReport("passed");
  for (const { metric } of scalars(fast)) metric.value = 1_234_567;
  const samples = SAMPLE_KINDS.map(sampleReport);
  const reports = [...samples, fast, chartedReport(), hostileChartedReport()];
  for (const report of reports) {
    await using watched = await open(pageOf(report), { viewport: { width: 360, height: 740 } });
    await watched.page.evaluate(
      "document.querySelectorAll('details').forEach((one) => one.open = true)",
    );
    assertEquals(await sidewaysScroll(watched.page), 0);
  }
});

testInBrowser("axe finds nothing serious, in light and dark, on a phone", async (open) => {
  const axe = await import("axe-core");
  const cases = [
    [chartedReport(), { colorScheme: "light", width: 1280 }],
    [chartedReport(), { colorScheme: "dark", width: 360 }],
    [sampleReport("failed"), { colorScheme: "dark", width: 1280 }],
    [sampleReport("hostile"), { colorScheme: "light", width: 360 }],
  ] as const;
  for (const [report, { colorScheme, width }] of cases) {
    const viewport = { width, height: 900 };
    await using watched = await open(pageOf(report), { colorScheme, viewport });
    const { page } = watched;
    await useEverything(page);
    await page.evaluate(axe.default.source);
    const found = await page.evaluate<string[]>(`axe.run().then(({ violations }) => violations
      .filter(({ impact }) => ["serious", "critical"].includes(impact))
      .flatMap(({ id, nodes }) => nodes.slice(0, 3).map(({ html }) => id + ": " + html)))`);
    assertEquals(found, [], `${colorScheme}, ${width}`);
  }
});

testInBrowser("without scripts it is whole", async (open) => {
  const html = pageOf(chartedReport());
  await using scripted = await open(html);
  await using plain = await open(html, { javaScriptEnabled: false });
  const numbers = (page: Page) => page.locator("td[data-value]").allTextContents();
  const all = await numbers(plain.page);
  assert(all.length > 500);
  assertEquals(all, await numbers(scripted.page));
  assertEquals(await plain.page.locator("button, .hint:visible, .tip").count(), 0);
  await plain.page.locator("summary").first().click();
  assertEquals(await plain.page.locator("details table").first().isVisible(), true);
});

testInBrowser("the keyboard reaches the content, tables and charts", async (open) => {
  await using watched = await open(pageOf(chartedReport()));
  const { page } = watched;
  const focused = () => page.evaluate<string>("document.activeElement.innerText.slice(0, 40)");
  await page.keyboard.press("Tab");
  assertEquals(await focused(), "Skip to the summary");
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

testInBrowser("paper is light, and no chart is cut", async (open) => {
  await using watched = await open(pageOf(chartedReport()), {
    colorScheme: "dark",
    viewport: { width: 720, height: 1000 },
  });
  const { page } = watched;
  const background = () => page.evaluate("getComputedStyle(document.body).backgroundColor");
  assertEquals(await background(), "rgb(13, 17, 23)");
  await page.emulateMedia({ media: "print" });
  assertEquals(await background(), "rgb(255, 255, 255)");
  const fill = "getComputedStyle(document.querySelector('.picture [font-weight]')).fill";
  assertEquals(await page.evaluate(fill), "rgb(31, 35, 40)");
  const widest = await page.evaluate<number>(
    "Math.max(...[...document.querySelectorAll('.picture svg')].map((one) => one.getBoundingClientRect().right))",
  );
  assert(widest > 0 && widest <= 720, `${widest}`);
  assertEquals(await page.locator("nav, .chart details").first().isVisible(), false);
  const bytes = await page.pdf({ format: "A4" });
  assertEquals(new TextDecoder().decode(bytes.subarray(0, 5)), "%PDF-");
});
