/**
 * A real browser, Debian's Chromium, and pages of the file system in it that keep account of all that a
 * quiet page must not do.
 *
 * @module
 */

import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { NEEDS_PROCESSES } from "./run_cli.ts";

/** Where Debian's package puts it. */
const DEBIAN_PATH = "/usr/bin/chromium";

/** Where a browser is, or why there is none. */
export type FoundBrowser = { path: string; missing: null } | { path: null; missing: string };

/** Finds Chromium: the one that `CHROMIUM_PATH` names, or Debian's. */
export async function findChromium(): Promise<FoundBrowser> {
  if (NEEDS_PROCESSES) return { path: null, missing: "needs permissions" };
  const path = Deno.env.get("CHROMIUM_PATH") || DEBIAN_PATH;
  const isFile = await Deno.stat(path).then((info) => info.isFile, () => false);
  return isFile ? { path, missing: null } : { path: null, missing: `no Chromium at ${path}` };
}

/** Starts it with a profile of its own, which goes when it is closed. */
export async function startBrowser(path: string): Promise<Browser & AsyncDisposable> {
  // It asks for the environment as soon as it is loaded, which a bare `deno test` may not.
  const { chromium } = await import("playwright-core");
  return await chromium.launch({
    executablePath: path,
    args: [
      ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
      ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
    ],
  });
}

/** A page and what it did that it should not have. */
export interface WatchedPage extends AsyncDisposable {
  page: Page;
  /**
   * Each as `kind: what`: console messages, errors, dialogs, violations of its policy, requests but its own,
   * and text that was run and set `window.ran`.
   */
  misdeeds(): Promise<string[]>;
}

/** Run in the page before anything of its own; as text, as the types here are not a browser's. */
const WATCH = `
window.violations = [];
document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
  window.violations.push(violatedDirective + " " + blockedURI);
});
`;

/** Opens a file in a context of its own. */
export async function openFile(
  browser: Browser,
  path: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const url = `file://${path}`;
  const seen: string[] = [];
  page.on("console", (message) => seen.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => seen.push(`error: ${error.message}`));
  page.on("request", (request) => {
    if (request.url() !== url) seen.push(`request: ${request.url()}`);
  });
  page.on("dialog", async (dialog) => {
    seen.push(`dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  await page.addInitScript(WATCH);
  await page.goto(url);
  return {
    page,
    async misdeeds() {
      const violations = await page.evaluate<string[]>("window.violations");
      const ran = await page.evaluate<unknown>("window.ran");
      return [
        ...seen,
        ...violations.map((violation) => `violation: ${violation}`),
        ...(ran === undefined ? [] : [`ran: ${ran}`]),
      ];
    },
    [Symbol.asyncDispose]: () => context.close(),
  };
}
