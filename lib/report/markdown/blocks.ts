/**
 * The blocks that a markdown page is made of. What goes in is markdown: text of others has been
 * escaped before.
 *
 * @module
 */

/** A column of a table: its heading, and `:` after the dashes for numbers. */
export type Column = string | { heading: string; align: "right" };

/**
 * A table of GitHub's markdown.
 *
 * @throws {RangeError} if a row has not as many cells as there are columns
 */
export function table(columns: Column[], rows: string[][]): string {
  for (const row of rows) {
    if (row.length !== columns.length) {
      throw new RangeError(
        `Cannot write a table as a row must have ${columns.length} cells: it has ${row.length}`,
      );
    }
  }
  const headings = columns.map((column) => typeof column === "string" ? column : column.heading);
  const rules = columns.map((column) => typeof column === "string" ? "---" : "---:");
  return [headings, rules, ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** A right-aligned column. */
export function right(heading: string): Column {
  return { heading, align: "right" };
}

/** A list with one line for each item. */
export function list(items: string[]): string {
  return items.map((item) => `- ${item}`).join("\n");
}

/** A numbered list. */
export function numbered(items: string[]): string {
  return items.map((item, index) => `${index + 1}. ${item}`).join("\n");
}

/** Blocks with an empty line between them; empty blocks are left out. */
export function stack(blocks: string[]): string {
  return blocks.filter((block) => block !== "").join("\n\n");
}
