import type { Report } from "../../schema.ts";
import { escapeTerminal } from "../escape.ts";
import { sweepTable } from "../sweeps.ts";
import { columns, paint, wrap } from "./text.ts";

/** The tables of the sweeps and what they say as lines for a terminal; each ends with an empty line. */
export function sweepLines(
  report: Report,
  { color, width }: { color: boolean; width: number },
): string[] {
  return report.scenarios.flatMap((scenario) => {
    const table = sweepTable(scenario);
    if (table === null) return [];
    const rows = [table.headings, ...table.rows].map((cells) => cells.map(escapeTerminal));
    const [head, ...lines] = columns(rows, { alignments: ["right"], width });
    return [
      paint(head!, "dim", color),
      ...lines,
      ...table.sentences.flatMap((sentence) => wrap(escapeTerminal(sentence), width)),
      "",
    ];
  });
}
