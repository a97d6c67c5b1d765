/**
 * A document as GitHub-flavoured markdown.
 *
 * @module
 */

import type { Block, Card, Content, Document, Figure, Forms, Inline } from "../document.ts";
import { formOf, inlines, joined, left, mark, type MarkName, right } from "../document.ts";
import { type Section, type Segment, sparkText, strong, type Table } from "../document.ts";
import { textOf, written } from "../document.ts";
import { escapeHtml, escapeMarkdown, markdownCode } from "../escape.ts";
import { formatPercent } from "../units.ts";

export interface MarkdownOptions {
  /** The path of a figure from the page; `null` leaves the figure out. */
  chartPath: (id: string) => string | null;
  /** 1, or 0 for no title and sections from level 3. Default: 1. */
  titleLevel?: 0 | 1;
}

const MARKS: Record<MarkName, string> = {
  passed: "✅",
  failed: "❌",
  warning: "⚠️",
  skipped: "➖",
  open: "⬜",
  here: "← here",
};

/** The document, ending with a line break. */
export function renderMarkdown(document: Document, options: MarkdownOptions): string {
  const { titleLevel = 1 } = options;
  const page = new Page(options, anchorsOf(document, titleLevel));
  const title = titleLevel === 0 ? [] : [`# ${page.line(document.title)}`];
  return [...title, ...document.sections.flatMap((section) => page.section(section))]
    .join("\n\n") + "\n";
}

/** GitHub's anchors for the sections' headings, by section id. */
function anchorsOf({ title, sections }: Document, titleLevel: number): Map<string, string> {
  const seen = new Map<string, number>();
  const anchor = (heading: string) => {
    const slug = heading.toLowerCase().replace(/[^\p{L}\p{N}\p{M}_\- ]/gu, "").replaceAll(" ", "-");
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  };
  if (titleLevel > 0) anchor(textOf(title));
  return new Map(sections.flatMap((section) => {
    const mark = section.mark === undefined ? "" : ` ${MARKS[section.mark]}`;
    return section.title === "" ? [] : [[section.id, anchor(textOf(section.title) + mark)]];
  }));
}

class Page {
  constructor(
    private readonly options: MarkdownOptions,
    private readonly anchors: ReadonlyMap<string, string>,
  ) {}

  section({ title, level, mark, blocks }: Section): string[] {
    const depth = level + (this.options.titleLevel === 0 ? 1 : 0);
    const suffix = mark === undefined ? "" : ` ${MARKS[mark]}`;
    const heading = title === "" ? [] : [`${"#".repeat(depth)} ${this.line(title)}${suffix}`];
    return [...heading, ...blocks.flatMap((block) => this.#block(block, depth))];
  }

  line(content: Content): string {
    return written(content, this.#inlines);
  }

  readonly #inlines: Forms<Exclude<Inline, string>, string> = {
    quantity: ({ text }) => text,
    foreign: ({ text }) => escapeMarkdown(text),
    code: ({ text }) => markdownCode(text),
    strong: ({ content }) => `**${this.line(content)}**`,
    mark: ({ mark }) => MARKS[mark],
    link: ({ to, content }) => {
      const anchor = this.anchors.get(to);
      const text = this.line(content);
      return anchor === undefined ? text : `[${text}](#${encodeURIComponent(anchor)})`;
    },
    sparkline: sparkText,
    strip: () => "",
  };

  /** A block as parts to separate by blank lines. */
  #block(block: Block, depth: number): string[] {
    return formOf<Block, string[]>({
      paragraph: ({ content }) => [this.line(content)],
      heading: ({ text }) => [`${"#".repeat(depth + 1)} ${this.line(text)}`],
      list: ({ items, ordered }) => {
        const sign = (index: number) => ordered === true ? `${index + 1}.` : "-";
        const lines = items.map((item, index) => `${sign(index)} ${this.line(item)}`);
        return lines.length === 0 ? [] : [lines.join("\n")];
      },
      table: (table) => [this.#table(table)],
      figure: ({ figure }) => this.#figure(figure),
      code: ({ text }) => [["```ts", text, "```"].join("\n")],
      cards: ({ cards }) => [this.#cards(cards)],
      bar: ({ segments }) => [this.#bar(segments)],
      boxes: () => [],
      fold: ({ summary, blocks }) => [
        `<details><summary>${escapeHtml(textOf(summary))}</summary>`,
        ...blocks.flatMap((one) => this.#block(one, depth)),
        "</details>",
      ],
    }, block);
  }

  #table({ columns, rows }: Pick<Table, "columns" | "rows">): string {
    const lines = [
      columns.map(({ title }) => this.line(title)),
      columns.map(({ align }) => align === "right" ? "---:" : "---"),
      ...rows.map((row) => row.map((cell) => this.line(cell))),
    ];
    return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
  }

  #figure({ id, alt }: Figure): string[] {
    const path = this.options.chartPath(id);
    return path === null ? [] : [`![${escapeMarkdown(alt)}](${path})`];
  }

  #cards(cards: readonly Card[]): string {
    const columns = [left(""), right("Value"), left(""), left("Epochs")];
    const rows = cards.map(({ title, value, mark: sign, lines, plots }) => [
      strong(...inlines(title)),
      [strong(value), ...sign === null ? [] : [" ", mark(sign)]],
      joined(lines, "; "),
      plots,
    ]);
    return this.#table({ columns, rows });
  }

  #bar(segments: readonly Segment[]): string {
    return segments.toSorted((a, b) => b.share - a.share).map(({ label, share }) =>
      `${this.line(label)} **${formatPercent(share)}**`
    ).join(", ") + ".";
  }
}
