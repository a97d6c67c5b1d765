/**
 * A document as text for a terminal: what is folded stays folded, pictures are boxes and bars of characters,
 * and a narrow window loses columns in the order that a table gives.
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
  /** Whether to use ANSI colours; without them the text has no escape sequence at all. */
  color: boolean;
  /** The columns of the terminal; less than 40 is taken as 40. */
  width: number;
}

export type Style = "green" | "red" | "yellow" | "dim" | "bold";

const CODES: Record<Style, number> = { green: 32, red: 31, yellow: 33, dim: 2, bold: 1 };
const MINIMUM_WIDTH = 40;
/** Wider boxes, and longer cells, show nothing more. */
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

/** `text` in a style, word by word; as it is where `color` is false. */
export function paint(text: string, style: Style, color: boolean): string {
  return color ? text.replace(/\S+/g, (word) => `\x1b[${CODES[style]}m${word}\x1b[0m`) : text;
}

/** The document, ending with a line break. */
export function renderTerminal(document: Document, options: TerminalOptions): string {
  const { color } = options;
  const screen = new Screen(color, Math.max(MINIMUM_WIDTH, options.width));
  const parts = document.sections.map((section) => screen.section(section));
  const title = screen.wrapped([{ kind: "strong", content: document.title }]);
  return [title, ...parts].filter((lines) => lines.length > 0).map((lines) => lines.join("\n"))
    .join("\n\n") + "\n";
}

class Screen {
  readonly #color: boolean;
  readonly #width: number;

  constructor(color: boolean, width: number) {
    this.#color = color;
    this.#width = width;
  }

  section({ title, mark, blocks }: Section): string[] {
    const sign: Inline[] = mark === undefined ? [] : [{ kind: "mark", mark }, " "];
    const heading = title === "" ? [] : [this.wrapped([...sign, ...inlines(title)])];
    const parts = [...heading, ...blocks.map((block) => formOf(this.#blocks, block))]
      .filter((lines) => lines.length > 0);
    return parts.flatMap((lines, index) => index === 0 ? lines : ["", ...lines]);
  }

  /** Content on lines of the window's width, those after the first indented. */
  wrapped(content: Content, indent = 0): string[] {
    const lines = wrap(this.#line(content), this.#width - indent);
    return lines.map((line, index) => index === 0 ? line : " ".repeat(indent) + line);
  }

  #line(content: Content): string {
    return written(content, this.#inlines);
  }

  readonly #inlines: Forms<Exclude<Inline, string>, string> = {
    quantity: ({ text }) => text,
    foreign: ({ text }) => escapeTerminal(text),
    code: ({ text }) => escapeTerminal(text),
    strong: ({ content }) => paint(this.#line(content), "bold", this.#color),
    mark: ({ mark }) => paint(...MARKS[mark], this.#color),
    link: ({ content }) => this.#line(content),
    sparkline: sparkText,
    strip: () => "",
  };

  readonly #blocks: Forms<Block, string[]> = {
    paragraph: ({ content }) => this.wrapped(content),
    heading: ({ text }) => [paint(this.#line(text), "bold", this.#color)],
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

  /** A row for each card: what, how much, how well it is known, its epochs, its change, and what else belongs to it. */
  #cards(cards: readonly Card[]): string[] {
    const rows = cards.map(({ title, value, lines: [known, change, ...rest], plots }) =>
      [title, value, known, plots, change].map((one) => this.#line(one)).concat(
        this.#line(joined(rest, ", ")),
      )
    );
    const columns = [0, 0, 1, 4, 2, 3]
      .map((drop, index) => ({ align: index === 1 ? "right" : "left", drop }) as const);
    return this.#columns(rows, columns);
  }

  #table({ columns, rows }: Table): string[] {
    const heads = columns.map(({ title }) => paint(this.#line(title), "dim", this.#color));
    const cells = rows.map((row) => row.map((cell) => cut(this.#line(cell), LONGEST_CELL)));
    const lines = this.#columns([heads, ...cells], columns);
    // Notes that have no room beside their rows stand below them.
    const notes = columns.at(-1)?.title === "" ? rows.map((row) => row.at(-1)!) : [];
    return lines.flatMap((line, at) => {
      const note = notes[at - 1] ?? "";
      const isCut = !isEmpty(note) && !line.endsWith(cells[at - 1]!.at(-1)!);
      return isCut ? [line, `     ${this.wrapped(note, 5).join("\n")}`] : [line];
    });
  }

  /** Rows with their columns under one another, without those that the window has no room for. */
  #columns(
    rows: readonly string[][],
    columns: readonly Pick<Column, "align" | "drop">[],
  ): string[] {
    const widths = columns.map((_, at) => Math.max(...rows.map((row) => lengthOf(row[at]!))));
    let kept = [...columns.keys()].filter((at) => widths[at]! > 0);
    const total = () => kept.reduce((sum, at) => sum + widths[at]! + GAP.length, -GAP.length);
    while (total() > this.#width) {
      const most = Math.max(...kept.map((at) => columns[at]!.drop));
      if (most === 0) break;
      kept = kept.filter((at) => columns[at]!.drop !== most);
    }
    return rows.map((row) => {
      const cells = kept.map((at) => {
        const padding = " ".repeat(widths[at]! - lengthOf(row[at]!));
        return columns[at]!.align === "left" ? row[at]! + padding : padding + row[at]!;
      });
      return cut(cells.join(GAP).trimEnd(), this.#width);
    });
  }

  #bar(segments: readonly Segment[]): string[] {
    const width = Math.min(WIDEST_BOX, this.#width);
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
    // mitata counts the code units of UTF-16.
    const longest = Math.max(...names.map(({ length }) => length));
    const room = this.#width - BOX_FRAME_WIDTH - longest;
    const ends = boxes.flatMap(({ strip }) => [strip.low, strip.high]);
    if (room < MINIMUM_BOX_WIDTH || Math.min(...ends) >= Math.max(...ends)) return [];
    const rows = boxes.map(({ strip }, index) => {
      const { low: min, quarter: p25, median: avg, threeQuarters: p75, high: p99 } = strip;
      return [names[index]!, { min, p25, avg, p75, p99 }] as const;
    });
    const plot = renderBoxplot(Object.fromEntries(rows), {
      width: Math.min(WIDEST_BOX, room),
      colors: this.#color,
      format: formatDuration,
    });
    return [...plot, paint(label, "dim", this.#color)];
  }
}

/** Breaks text at spaces, but not before a `%`, into lines of at most `width` characters; never empty. */
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

/** A word in pieces of at most `width` characters; one with colours in it is left whole. */
function pieces(word: string, width: number): string[] {
  if (lengthOf(word) <= width) return [word];
  const characters = [...word];
  return Array.from(
    { length: Math.ceil(characters.length / width) },
    (_, index) => characters.slice(index * width, (index + 1) * width).join(""),
  );
}

const ANSI = new RegExp("\u001b\\[\\d+m", "g");

function lengthOf(text: string): number {
  return [...text.replace(ANSI, "")].length;
}

/** A text without more characters than `longest`; one that is cut loses its colours. */
function cut(text: string, longest: number): string {
  if (lengthOf(text) <= longest) return text;
  return [...text.replace(ANSI, "")].slice(0, longest - 1).join("") + "…";
}
