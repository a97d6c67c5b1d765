/**
 * A document as text for a terminal: folds show only their summary, and a narrow terminal drops
 * columns in the order that the table gives.
 *
 * @module
 */

import type { Block, Card, Column, Content, Document, Forms, Inline } from "../document.ts";
import type { MarkName, Section, Segment, Strip, Table } from "../document.ts";
import { formOf, inlines, isEmpty, joined, prose, sparkText, written } from "../document.ts";
import { escapeTerminal } from "../escape.ts";
import { BOX_FRAME_WIDTH, MINIMUM_BOX_WIDTH, renderBoxplot } from "../../stats/terminal_plots.ts";
import { formatDuration, formatPercent } from "../units.ts";

export interface TerminalOptions {
  /** Use ANSI colours; without them the text has no escape sequences. */
  color: boolean;
  /** The width of the terminal in columns; the minimum is 40. */
  width: number;
}

export type Style = "green" | "red" | "yellow" | "dim" | "bold";

const CODES: Record<Style, number> = { green: 32, red: 31, yellow: 33, dim: 2, bold: 1 };
const MINIMUM_WIDTH = 40;
const WIDEST_BOX = 64;
const LONGEST_CELL = 44;
const GAP = "  ";
const FILLS = [..."█▓▒░#=+"];

const MARKS: Record<MarkName, [sign: string, style: Style]> = {
  passed: ["✓", "green"],
  failed: ["✗", "red"],
  warning: ["!", "yellow"],
  skipped: ["–", "dim"],
  open: ["?", "dim"],
  here: ["<- here", "dim"],
};

/** `text` in a style, word by word so that it can be wrapped; unchanged if `color` is false. */
export function paint(text: string, style: Style, color: boolean): string {
  return color ? text.replace(/\S+/g, (word) => `\x1b[${CODES[style]}m${word}\x1b[0m`) : text;
}

/** The document, ending with a line break. */
export function renderTerminal(document: Document, options: TerminalOptions): string {
  const screen = new Screen(options.color, Math.max(MINIMUM_WIDTH, options.width));
  const parts = document.sections.map((section) => screen.section(section));
  const title = screen.wrapped([{ kind: "strong", content: document.title }]);
  return [title, ...parts].filter((lines) => lines.length > 0).map((lines) => lines.join("\n"))
    .join("\n\n") + "\n";
}

class Screen {
  constructor(private readonly color: boolean, private readonly width: number) {}

  section({ title, mark, blocks }: Section): string[] {
    const sign: Inline[] = mark === undefined ? [] : [{ kind: "mark", mark }, " "];
    const heading = title === "" ? [] : [this.wrapped([...sign, ...inlines(title)])];
    const parts = [...heading, ...blocks.map((block) => formOf(this.#blocks, block))]
      .filter((lines) => lines.length > 0);
    return parts.flatMap((lines, index) => index === 0 ? lines : ["", ...lines]);
  }

  /** Content wrapped at the terminal's width, with a hanging indent. */
  wrapped(content: Content, indent = 0): string[] {
    const lines = wrap(this.#line(content), this.width - indent);
    return lines.map((line, index) => index === 0 ? line : " ".repeat(indent) + line);
  }

  #line(content: Content): string {
    return written(content, this.#inlines);
  }

  readonly #inlines: Forms<Exclude<Inline, string>, string> = {
    quantity: ({ text }) => text,
    foreign: ({ text }) => escapeTerminal(text),
    code: ({ text }) => escapeTerminal(text),
    strong: ({ content }) => paint(this.#line(content), "bold", this.color),
    mark: ({ mark }) => paint(...MARKS[mark], this.color),
    link: ({ content }) => this.#line(content),
    sparkline: sparkText,
    strip: () => "",
  };

  readonly #blocks: Forms<Block, string[]> = {
    paragraph: ({ content }) => this.wrapped(content),
    heading: ({ text }) => [paint(this.#line(text), "bold", this.color)],
    list: ({ items, ordered }) =>
      items.flatMap((item, index) =>
        this.wrapped(ordered === true ? [`${index + 1}. `, ...inlines(item)] : item, 2)
      ),
    table: (table) => this.#table(table),
    figure: () => [],
    code: ({ text }) => text.split("\n"),
    cards: ({ cards }) => this.#cards(cards),
    bar: ({ segments }) => this.#bar(segments),
    boxes: ({ label, boxes }) => this.#boxes(label, boxes),
    fold: ({ summary }) => this.wrapped(summary),
  };

  /** A row for each card: title, value, how well it is known, epochs, change, and more. */
  #cards(cards: readonly Card[]): string[] {
    const rows = cards.map(({ title, value, lines: [known, change, ...rest], plots }) =>
      [title, value, known, plots, change, joined(rest, ", ")].map((one) => this.#line(one))
    );
    const columns = [0, 0, 1, 4, 2, 3]
      .map((drop, index) => ({ align: index === 1 ? "right" : "left", drop }) as const);
    return this.#columns(rows, columns);
  }

  #table({ columns, rows }: Table): string[] {
    const heads = columns.map(({ title }) => paint(this.#line(title), "dim", this.color));
    const cells = rows.map((row) => row.map((cell) => cut(this.#line(cell), LONGEST_CELL)));
    const lines = this.#columns([heads, ...cells], columns);
    // Notes that do not fit in their row go below it.
    const notes = columns.at(-1)?.title === "" ? rows.map((row) => row.at(-1)!) : [];
    return lines.flatMap((line, at) => {
      const note = notes[at - 1] ?? "";
      const isCut = !isEmpty(note) && !line.endsWith(cells[at - 1]!.at(-1)!);
      return isCut ? [line, `     ${this.wrapped(note, 5).join("\n")}`] : [line];
    });
  }

  /** Rows with aligned columns, without those that do not fit. */
  #columns(
    rows: readonly string[][],
    columns: readonly Pick<Column, "align" | "drop">[],
  ): string[] {
    const widths = columns.map((_, at) => Math.max(...rows.map((row) => lengthOf(row[at]!))));
    let kept = [...columns.keys()].filter((at) => widths[at]! > 0);
    const total = () => kept.reduce((sum, at) => sum + widths[at]! + GAP.length, -GAP.length);
    while (total() > this.width) {
      const most = Math.max(...kept.map((at) => columns[at]!.drop));
      if (most === 0) break;
      kept = kept.filter((at) => columns[at]!.drop !== most);
    }
    return rows.map((row) => {
      const cells = kept.map((at) => {
        const padding = " ".repeat(widths[at]! - lengthOf(row[at]!));
        return columns[at]!.align === "left" ? row[at]! + padding : padding + row[at]!;
      });
      return cut(cells.join(GAP).trimEnd(), this.width);
    });
  }

  #bar(segments: readonly Segment[]): string[] {
    const width = Math.min(WIDEST_BOX, this.width);
    const total = segments.reduce((sum, { share }) => sum + share, 0);
    const fill = (index: number) => FILLS[index % FILLS.length]!;
    const bar = segments.map(({ share }, at) => fill(at).repeat(Math.round(width * share / total)));
    const parts = segments.map(({ label, share }, index) =>
      prose`${fill(index)} ${label} ${formatPercent(share)}`
    );
    return [bar.join("").slice(0, width), ...this.wrapped(joined(parts, ", "))];
  }

  #boxes(label: string, boxes: readonly { name: string; strip: Strip }[]): string[] {
    const names = boxes.map(({ name }) => cut(escapeTerminal(name), 28));
    // Like mitata, in UTF-16 code units.
    const longest = Math.max(...names.map(({ length }) => length));
    const room = this.width - BOX_FRAME_WIDTH - longest;
    const ends = boxes.flatMap(({ strip }) => [strip.low, strip.high]);
    if (room < MINIMUM_BOX_WIDTH || Math.min(...ends) >= Math.max(...ends)) return [];
    const rows = boxes.map(({ strip }, index) => {
      const { low: min, quarter: p25, median: avg, threeQuarters: p75, high: p99 } = strip;
      return [names[index]!, { min, p25, avg, p75, p99 }] as const;
    });
    const plot = renderBoxplot(Object.fromEntries(rows), {
      width: Math.min(WIDEST_BOX, room),
      colors: this.color,
      format: formatDuration,
    });
    const legend = this.wrapped({ kind: "foreign", text: label });
    return [...plot, ...legend.map((line) => paint(line, "dim", this.color))];
  }
}

/** Breaks text at spaces, except before `%`, into lines of at most `width` characters. */
function wrap(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(/ (?!%)/).flatMap((word) => pieces(word, width))) {
    const line = lines[lines.length - 1]!;
    if (line === "") lines[lines.length - 1] = word;
    else if (lengthOf(line) + 1 + lengthOf(word) <= width) lines[lines.length - 1] += ` ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** A word in pieces of at most `width` characters. */
function pieces(word: string, width: number): string[] {
  return lengthOf(word) <= width ? [word] : word.match(new RegExp(`.{1,${width}}`, "gu"))!;
}

const ANSI = new RegExp("\u001b\\[\\d+m", "g");

function lengthOf(text: string): number {
  return [...text.replace(ANSI, "")].length;
}

/** Text cut to `longest` characters; cut text loses its colours. */
function cut(text: string, longest: number): string {
  if (lengthOf(text) <= longest) return text;
  return [...text.replace(ANSI, "")].slice(0, longest - 1).join("") + "…";
}
