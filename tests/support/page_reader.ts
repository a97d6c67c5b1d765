/**
 * Reads a page as its reader sees it. Code that runs in the page is text, because the types here
 * are not a browser's.
 *
 * @module
 */

import type { Page } from "playwright-core";

/** The cells of the table in the region called `label`, row by row. */
export async function readTable(page: Page, label: string): Promise<string[][]> {
  return await page.evaluate<string[][]>(`(() => {
    const regions = [...document.querySelectorAll("[role=region]")];
    const region = regions.find((one) => one.ariaLabel === ${JSON.stringify(label)});
    const { rows } = region.querySelector("table").tBodies[0];
    return [...rows].map((row) => [...row.cells].map((cell) => cell.textContent));
  })()`);
}

/** The visible text of the page on one line. */
export async function shownText(page: Page): Promise<string> {
  return (await page.evaluate<string>("document.body.innerText")).replace(/\s+/g, " ");
}

/** How far the page can be scrolled sideways, in pixels. */
export async function sidewaysScroll(page: Page): Promise<number> {
  return await page.evaluate<number>(
    "document.documentElement.scrollWidth - document.documentElement.clientWidth",
  );
}
