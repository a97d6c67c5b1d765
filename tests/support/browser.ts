/**
 * Opens local files in Debian's Chromium and records everything that a harmless page must not do.
 *
 * @module
 */

import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { NEEDS_PROCESSES } from "./run_cli.ts";

const DEBIAN_PATH = "/usr/bin/chromium";

/** Where a browser is, or why there is none. */
type FoundBrowser = { path: string; missing: null } | { path: null; missing: string };

/** Finds Chromium at `CHROMIUM_PATH`, or Debian's. */
export async function findChromium(): Promise<FoundBrowser> {
  if (NEEDS_PROCESSES) return { path: null, missing: "needs permissions" };
  const path = Deno.env.get("CHROMIUM_PATH") || DEBIAN_PATH;
  const isFile = await Deno.stat(path).then((info) => info.isFile, () => false);
  return isFile ? { path, missing: null } : { path: null, missing: `no Chromium at ${path}` };
}

/** Starts a browser with a temporary profile. */
export async function startBrowser(path: string): Promise<Browser & AsyncDisposable> {
  // Loading it reads the environment, which a bare `deno test` is not allowed to.
  const { chromium } = await import("playwright-core");
  return await chromium.launch({
    executablePath: path,
    args: [
      ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
      ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
    ],
  });
}

export interface WatchedPage extends AsyncDisposable {
  page: Page;
  /**
   * Each as `kind: what`: console messages, errors, dialogs, violations of the content security
   * policy, requests other than for the page, and a `window.ran` that executed text has set.
   */
  misdeeds(): Promise<string[]>;
}

/** Runs before the page's own scripts. As text, because the types here are not a browser's. */
const WATCH = `
window.violations = [];
document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
  window.violations.push(violatedDirective + " " + blockedURI);
});
`;

/** Opens a file in its own browser context. */
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
