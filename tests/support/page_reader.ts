/**
 * Reads a page as a reader sees it: tables by their labels, and the text of the whole. Code for the page is
 * text, as the types here are not a browser's.
 *
 * @module
 */

import type { Page } from "playwright-core";

/** A table of the page. */
export interface PageTable {
  headings: string[];
  /** Whether each column is sorted, and how; `null`: it cannot be. */
  sorted: (string | null)[];
  rows: { text: string; value: number | null }[][];
}

/** The table within the region called `label`, in the order in which its rows stand now. */
export async function readTable(page: Page, label: string): Promise<PageTable> {
  return await page.evaluate<PageTable>(`(() => {
    const regions = [...document.querySelectorAll("[role=region]")];
    const region = regions.find((one) => one.ariaLabel === ${JSON.stringify(label)});
    const table = region.querySelector("table");
    const headings = [...table.tHead.rows[0].cells];
    return {
      headings: headings.map((cell) => cell.textContent),
      sorted: headings.map((cell) => cell.getAttribute("aria-sort")),
      rows: [...table.tBodies[0].rows].map((row) => [...row.cells].map((cell) => ({
        text: cell.textContent,
        value: cell.dataset.value === undefined ? null : Number(cell.dataset.value),
      }))),
    };
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

/** What a cell of a sorted column says, from the first row down. */
export function column({ headings, rows }: PageTable, heading: string): PageTable["rows"][number] {
  const index = headings.indexOf(heading);
  return rows.map((row) => row[index]!);
}

const UNITS = new Map([
  ["ns", 1],
  ["µs", 1e3],
  ["ms", 1e6],
  ["s", 1e9],
]);

/**
 * Whether a text such as `1.31 ms` or `1,151 msg/s` is the value to the digits that it has. `null` is a dash.
 * Times are in nanoseconds.
 */
export function saysValue(text: string, value: number | null): boolean {
  if (value === null) return text === "–";
  const [, digits = "", unit = ""] = /^(-?[\d,.]+)(?:\s(\S+))?$/.exec(text) ?? [];
  const decimals = digits.split(".")[1]?.length ?? 0;
  const scale = UNITS.get(unit) ?? 1;
  const shown = Number(digits.replaceAll(",", "")) * scale;
  return digits !== "" && Math.abs(shown - value) <= scale * 0.5000001 * 10 ** -decimals;
}
