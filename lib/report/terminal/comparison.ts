import type { Comparison } from "../../schema.ts";
import { COMPARISON_HEADINGS, comparisonNotes, comparisonRows } from "../comparison_rows.ts";
import { escapeTerminal } from "../escape.ts";
import { columns, paint, type Style, wrap } from "./text.ts";

const STYLES: Record<string, Style> = { faster: "green", slower: "red", "~": "dim" };

/** The table of a comparison and its notes as lines for a terminal. */
export function comparisonLines(
  comparison: Comparison,
  { color, width }: { color: boolean; width: number },
): string[] {
  const rows = comparisonRows(comparison).map((cells) => cells.map(escapeTerminal));
  // What matters most comes first: a narrow window leaves the last columns out.
  const ordered = [COMPARISON_HEADINGS, ...rows].map(
    ([metric, before, after, change, interval, p, verdict]) =>
      [metric, change, verdict, before, after, interval, p].map(String),
  );
  const [head, ...lines] = columns(ordered, {
    alignments: ["left", "right", "left", "right"],
    width,
  });
  return [
    paint(head, "dim", color),
    ...lines.map((line, index) => {
      const style = STYLES[comparison.rows[index].verdict ?? ""];
      return style === undefined ? line : paint(line, style, color);
    }),
    ...comparisonNotes(comparison).flatMap((note) => wrap(escapeTerminal(note), width)),
  ];
}
