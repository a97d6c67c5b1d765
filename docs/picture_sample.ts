/**
 * Takes the README's screenshot, docs/sample/first-screen.png, of docs/sample/report.html. The last
 * step of `deno task docs:sample`.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { findChromium, openFile, startBrowser } from "../tests/support/browser.ts";

const SAMPLE = fileURLToPath(new URL("sample/", import.meta.url));
const VIEWPORT = { width: 1280, height: 900 };

const chromium = await findChromium();
if (chromium.path === null) throw new Error(`Cannot take the screenshot: ${chromium.missing}`);
await using browser = await startBrowser(chromium.path);
await using shown = await openFile(browser, `${SAMPLE}report.html`, { viewport: VIEWPORT });
await shown.page.screenshot({ path: `${SAMPLE}first-screen.png` });
