/**
 * Takes the picture of the README: the first screen of docs/sample/report.html, as docs/sample/first-screen.png. Run
 * by `deno task docs:sample`, after the measurement.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { findChromium, openFile, startBrowser } from "../tests/support/browser.ts";

const SAMPLE = fileURLToPath(new URL("sample/", import.meta.url));
const VIEWPORT = { width: 1280, height: 900 };

const chromium = await findChromium();
if (chromium.path === null) throw new Error(`Cannot take a picture: ${chromium.missing}`);
await using browser = await startBrowser(chromium.path);
await using shown = await openFile(browser, `${SAMPLE}report.html`, { viewport: VIEWPORT });
await shown.page.screenshot({ path: `${SAMPLE}first-screen.png` });
