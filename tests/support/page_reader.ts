/**
 * Reads a page as a reader sees it: tables by their labels, and the text of the whole. Code for the page is
 * text, as the types here are not a browser's.
 *
 * @module
 */

import type { Page } from "playwright-core";

/** The texts of the cells of the table within the region called `label`, row by row. */
export async function readTable(page: Page, label: string): Promise<string[][]> {
  return await page.evaluate<string[][]>(`(() => {
    const regions = [...document.querySelectorAll("[role=region]")];
    const region = regions.find((one) => one.ariaLabel === ${JSON.stringify(label)});
    const { rows } = region.querySelector("table").tBodies[0];
    return [...rows].map((row) => [...row.cells].map((cell) => cell.textContent));
  })()`);
}

/** The text that the page shows, on one line. */
export async function shownText(page: Page): Promise<string> {
  return (await page.evaluate<string>("document.body.innerText")).replace(/\s+/g, " ");
}

/** How far the page can be scrolled sideways, in pixels. */
export async function sidewaysScroll(page: Page): Promise<number> {
  return await page.evaluate<number>(
    "document.documentElement.scrollWidth - document.documentElement.clientWidth",
  );
}
