/**
 * A report as a tree: sections of blocks of inlines. sections/ builds it, render/ writes it as
 * markdown, HTML or text for a terminal.
 *
 * Strings are the suite's own words and are not escaped. Text from elsewhere (a server's messages,
 * names, addresses) is `foreign` or `code`, which each renderer escapes in one place.
 *
 * @module
 */

import type { Metric, Statistic } from "../schema.ts";

/** The figure of a metric that a quantity shows. */
export type FigureName =
  | Statistic
  | ("min" | "mean" | "p75" | "p90" | "p999" | "max" | "count" | "added" | "share");

/** A figure of a metric, and how it is shown: in the unit of its row. */
export interface Quantity {
  kind: "quantity";
  metric: Metric;
  figure: FigureName;
  text: string;
}

export type MarkName = "passed" | "failed" | "warning" | "skipped" | "open" | "here";

/** A few values as a small line chart; `outliers` are the indices of those that are marked. */
export interface Sparkline {
  kind: "sparkline";
  values: readonly (number | null)[];
  outliers: readonly number[];
  label: string;
}

/** A distribution as a box on a logarithmic scale, in nanoseconds; `ends` as in `p5 to p99`. */
export interface Strip
  extends Record<"low" | "quarter" | "median" | "threeQuarters" | "high", number> {
  kind: "strip";
  ends: string;
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
  /** Narrow terminals drop the columns with the highest number first; 0: never dropped. */
  drop: number;
}

export interface Table {
  kind: "table";
  /** For screen readers. */
  caption: string;
  columns: readonly Column[];
  rows: readonly (readonly Content[])[];
}

export interface Figure {
  /** Also its file name without the extension: letters, digits, hyphens. */
  id: string;
  title: string;
  svg: string;
  /** What the figure shows, in a sentence. */
  alt: string;
}

/** One number of the first screen. */
export interface Card {
  title: Content;
  value: Quantity;
  /** How well the value is known, its change since other runs, and more; each can be empty. */
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
  /** An example in TypeScript, the suite's own. */
  | { kind: "code"; text: string }
  | { kind: "cards"; cards: readonly Card[] }
  | { kind: "bar"; label: string; segments: readonly Segment[] }
  | { kind: "heading"; text: Content }
  | { kind: "boxes"; label: string; boxes: readonly { name: string; strip: Strip }[] }
  | { kind: "fold"; summary: Content; blocks: readonly Block[] };

/**
 * Where a section appears: `page` is report.md and report.html, `terminal` the end of a run, `summary`
 * the page of a CI job and a user's page (`--inject`).
 */
export type Audience = "page" | "terminal" | "summary";

export interface Section {
  /** Unique in its document: letters, digits, hyphens. */
  id: string;
  /** Empty for the first screen, which follows the document's title. */
  title: Content;
  /** Level 3 belongs to the section of level 2 before it. */
  level: 2 | 3;
  audience: readonly Audience[];
  mark?: MarkName;
  blocks: readonly Block[];
}

export interface Document {
  title: Content;
  sections: readonly Section[];
}

/** Text that is not the suite's own. */
export const foreign = (text: string): Inline => ({ kind: "foreign", text });
/** A name, a value or an option, the suite's own or not. */
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

/** The contents that are not empty, with `separator` between them. */
export function joined(contents: readonly Content[], separator: string): Inline[] {
  return contents.filter((content) => !isEmpty(content))
    .flatMap((one, index) => index === 0 ? inlines(one) : [separator, ...inlines(one)]);
}

/** A template of text and other content, in which a line break and its indentation are one space. */
export function prose(texts: TemplateStringsArray, ...parts: Content[]): Inline[] {
  return texts.map((text) => text.replace(/\s*\n\s*/g, " "))
    .flatMap((text, nth) => [text, ...inlines(parts[nth] ?? "")])
    .filter((one) => one !== "");
}

/** A section of level 2. */
export const sectionFor = (
  audience: readonly Audience[],
  id: string,
  title: string,
  ...blocks: Block[]
): Section => ({ id, title, level: 2, audience, blocks });

/** A section of level 2 for pages only. */
export const pageSection = (id: string, title: string, ...blocks: Block[]): Section =>
  sectionFor(["page"], id, title, ...blocks);

/** A table without its empty columns. */
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

/** A function for each kind of a union. */
export type Forms<U extends { kind: string }, R> = {
  [K in U["kind"]]: (one: Extract<U, { kind: K }>) => R;
};

/** Content as text, by a form for each kind of inline; strings stay as they are by default. */
export function written(
  content: Content,
  forms: Forms<Exclude<Inline, string>, string>,
  ofString = (text: string) => text,
): string {
  return inlines(content).map((inline) =>
    typeof inline === "string" ? ofString(inline) : formOf(forms, inline)
  ).join("");
}

/** Applies the form for its kind to one member of a union. */
export function formOf<U extends { kind: string }, R>(forms: Forms<U, R>, one: U): R {
  return (forms[one.kind as U["kind"]] as (one: U) => R)(one);
}

/** Content as a list of inlines. */
export function inlines(content: Content): readonly Inline[] {
  return Array.isArray(content) ? content : [content as Inline];
}

export function isEmpty(content: Content): boolean {
  return inlines(content).every((inline) => inline === "");
}

/** Content as plain text, not escaped. */
export function textOf(content: Content): string {
  return inlines(content).map((inline) => {
    if (typeof inline === "string") return inline;
    if ("text" in inline) return inline.text;
    return "content" in inline ? textOf(inline.content) : "";
  }).join("");
}

const BARS = [..."▁▂▃▄▅▆▇█"];

/** A sparkline as characters, with a `!` after each outlier and a space for a missing value. */
export function sparkText({ values, outliers }: Sparkline): string {
  const { low, high } = sparkRange(values);
  return values.map((value, index) => {
    if (value === null) return " ";
    const bar = Math.round((value - low) / (high - low) * (BARS.length - 1));
    return `${BARS[bar]}${outliers.includes(index) ? "!" : ""}`;
  }).join("");
}

/** The range of a sparkline: its values, and at least a tenth to either side of their middle. */
export function sparkRange(values: Sparkline["values"]): { low: number; high: number } {
  const known = values.filter((value) => value !== null);
  const [least, most] = [Math.min(...known), Math.max(...known)];
  const middle = (least + most) / 2;
  const room = Math.abs(middle) / 10 || 1;
  return { low: Math.min(least, middle - room), high: Math.max(most, middle + room) };
}
