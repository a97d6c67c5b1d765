/**
 * A report as a tree: sections of blocks of inlines. Builders (sections/) make it from a report, serialisers
 * (render/) write it as markdown, HTML or text for a terminal, and neither knows the other.
 *
 * Strings are the suite's own words. Text of others (a server's messages, names, addresses) is `foreign` or
 * `code`, which each serialiser escapes in one place.
 *
 * @module
 */

import type { At, Interval, Statistic } from "../schema.ts";

/** The figure of a metric that a quantity shows. */
export type FigureName = Statistic | "min" | "mean" | "p75" | "p90" | "p999" | Counted;
type Counted = "max" | "count" | "added" | "share";

/** Which number of report.json a quantity is. */
export interface MetricReference {
  scenario: string;
  metric: string;
  at?: At;
  statistic: FigureName;
}

/** A number as it is shown, and what it is. `text` is made by quantities.ts, in the unit of its row. */
export interface Quantity {
  kind: "quantity";
  /** In `unit`, as report.json has it (times in nanoseconds); `null`: not measured. */
  value: number | null;
  unit: string;
  interval: Interval | null;
  text: string;
  metric: MetricReference | null;
}

export type MarkName = "passed" | "failed" | "warning" | "skipped" | "open" | "here";

/** A few values in their order, as a line of the text's height; those in `outliers` (indices) are marked. */
export interface Sparkline {
  kind: "sparkline";
  values: readonly (number | null)[];
  outliers: readonly number[];
  label: string;
}

/** A distribution as a box on a logarithmic scale, in nanoseconds; `high` is its P99, or the last that is known. */
export interface Strip
  extends Record<"low" | "quarter" | "median" | "threeQuarters" | "high", number> {
  kind: "strip";
  label: string;
}

export type Inline =
  | string
  | Quantity
  | { kind: "foreign"; text: string }
  | { kind: "code"; text: string }
  | { kind: "strong"; content: Content }
  | { kind: "mark"; mark: MarkName }
  | { kind: "link"; to: string; content: Content }
  | Sparkline
  | Strip;

export type Content = Inline | readonly Inline[];

export interface Column {
  title: Content;
  align: "left" | "right";
  /** A narrow window drops the column with the highest number first; 0: never dropped. */
  drop: number;
}

export interface Table {
  kind: "table";
  /** What it holds, for those who do not see the page. */
  caption: string;
  columns: readonly Column[];
  rows: readonly (readonly Content[])[];
}

export interface Figure {
  /** Also the name of its file, without ending: letters, digits, hyphens. */
  id: string;
  title: string;
  svg: string;
  /** What can be seen, in a sentence. */
  alt: string;
}

/** One number of the first screen. */
export interface Card {
  title: Content;
  value: Quantity;
  /** How well the value is known, what became of it since other runs, and what else belongs to it; empty: nothing. */
  lines: readonly [known: Content, change: Content, ...rest: Content[]];
  /** The epochs, or the distribution. */
  plots: readonly (Sparkline | Strip)[];
  mark: MarkName | null;
}

/** A part of a bar; `share` from 0 to 1. */
export interface Segment {
  label: Content;
  share: number;
}

export type Tone = "lead" | "note" | "warning" | "failure";

export type Block =
  | { kind: "paragraph"; content: Content; tone?: Tone }
  | { kind: "list"; items: readonly Content[]; ordered?: boolean }
  | Table
  | { kind: "figure"; figure: Figure }
  | { kind: "code"; text: string; language: string }
  | { kind: "cards"; cards: readonly Card[] }
  | { kind: "bar"; label: string; segments: readonly Segment[] }
  | { kind: "heading"; text: Content }
  | { kind: "boxes"; label: string; boxes: readonly { name: string; strip: Strip }[] }
  | { kind: "fold"; summary: Content; blocks: readonly Block[] };

/**
 * Who reads a section: `page` in report.md and report.html, `terminal` at the end of a run, `summary` on the
 * short page of a CI job and in a page of the user's.
 */
export type Audience = "page" | "terminal" | "summary";

export interface Section {
  /** Unique in its document: letters, digits, hyphens. */
  id: string;
  /** Empty: the first screen, which stands under the document's own title. */
  title: Content;
  /** 2, or 3 for one that belongs to the section of level 2 before it. */
  level: 2 | 3;
  audience: readonly Audience[];
  mark?: MarkName;
  blocks: readonly Block[];
}

export interface Document {
  title: Content;
  sections: readonly Section[];
}

/** Text of others. */
export const foreign = (text: string): Inline => ({ kind: "foreign", text });
/** Text of a program, ours or of others: a name, a value, an option. */
export const code = (text: string): Inline => ({ kind: "code", text });
export const strong = (...content: Inline[]): Inline => ({ kind: "strong", content });
export const mark = (name: MarkName): Inline => ({ kind: "mark", mark: name });
/** A link to a section of the same document, by its id. */
export const link = (to: string, ...content: Inline[]): Inline => ({ kind: "link", to, content });

export const paragraph = (content: Content, tone?: Tone): Block => (
  { kind: "paragraph", content, tone }
);
export const heading = (text: string): Block => ({ kind: "heading", text });
export const list = (items: readonly Content[], ordered = false): Block => (
  { kind: "list", items, ordered }
);
export const figures = (...all: (Figure | undefined)[]): Block[] =>
  all.flatMap((figure) => figure === undefined ? [] : [{ kind: "figure", figure }]);
export const fold = (summary: Content, blocks: readonly Block[]): Block => (
  { kind: "fold", summary, blocks }
);

export const left = (title: Content, drop = 0): Column => ({ title, align: "left", drop });
export const right = (title: Content, drop = 0): Column => ({ title, align: "right", drop });

/** Contents one after the other, with `separator` between them; empty ones are left out. */
export function joined(contents: readonly Content[], separator: string): Inline[] {
  return contents.filter((content) => !isEmpty(content))
    .flatMap((one, index) => index === 0 ? inlines(one) : [separator, ...inlines(one)]);
}

/**
 * Content as it is read: text with other content in it, of which a line break and the spaces around it are one
 * space.
 */
export function prose(texts: TemplateStringsArray, ...parts: Content[]): Inline[] {
  return texts.flatMap((
    text,
    nth,
  ) => [text.replace(/\s*\n\s*/g, " "), ...inlines(parts[nth] ?? "")])
    .filter((one) => one !== "");
}

/** A section of level 2 for those who read it. */
export const sectionFor = (
  audience: readonly Audience[],
  id: string,
  title: string,
  ...blocks: Block[]
): Section => ({ id, title, level: 2, audience, blocks });

/** A section of level 2, of a page alone. */
export const pageSection = (id: string, title: string, ...blocks: Block[]): Section =>
  sectionFor(["page"], id, title, ...blocks);

/** A table without its empty columns; `caption`: what it holds. */
export function table(
  caption: string,
  columns: readonly Column[],
  rows: readonly (readonly Content[])[],
): Table {
  const isUsed = (_: unknown, index: number) => rows.some((row) => !isEmpty(row[index]!));
  return {
    kind: "table",
    caption,
    columns: columns.filter(isUsed),
    rows: rows.map((row) => row.filter(isUsed)),
  };
}

/** What a serialiser makes of each kind of a union. */
export type Forms<U extends { kind: string }, R> = {
  [K in U["kind"]]: (one: Extract<U, { kind: K }>) => R;
};

/** The text of some content, of which strings stay as they are. */
export function written(
  content: Content,
  forms: Forms<Exclude<Inline, string>, string>,
  ofString = (text: string) => text,
): string {
  return inlines(content).map((inline) =>
    typeof inline === "string" ? ofString(inline) : formOf(forms, inline)
  ).join("");
}

/** What the forms make of one thing. */
export function formOf<U extends { kind: string }, R>(forms: Forms<U, R>, one: U): R {
  return (forms[one.kind as U["kind"]] as (one: U) => R)(one);
}

/** The inlines of some content, as a list. */
export function inlines(content: Content): readonly Inline[] {
  return Array.isArray(content) ? content : [content as Inline];
}

export function isEmpty(content: Content): boolean {
  return inlines(content).every((inline) => inline === "");
}

/** The text of some content without its form, not escaped. */
export function textOf(content: Content): string {
  return inlines(content).map((inline) => {
    if (typeof inline === "string") return inline;
    if ("text" in inline) return inline.text;
    return "content" in inline ? textOf(inline.content) : "";
  }).join("");
}

const BARS = [..."▁▂▃▄▅▆▇█"];

/** A sparkline as characters; an outlier has a `!` after it, what is missing is a space. */
export function sparkText({ values, outliers }: Sparkline): string {
  const { low, high } = sparkRange(values);
  return values.map((value, index) => {
    if (value === null) return " ";
    const bar = Math.round((value - low) / (high - low) * (BARS.length - 1));
    return `${BARS[bar]}${outliers.includes(index) ? "!" : ""}`;
  }).join("");
}

/** What a sparkline spans: its values, and at least a tenth to either side of their middle. */
export function sparkRange(values: Sparkline["values"]): { low: number; high: number } {
  const known = values.filter((value) => value !== null);
  const [least, most] = [Math.min(...known), Math.max(...known)];
  const middle = (least + most) / 2;
  const room = Math.abs(middle) / 10 || 1;
  return { low: Math.min(least, middle - room), high: Math.max(most, middle + room) };
}
