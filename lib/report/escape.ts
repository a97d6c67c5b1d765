/**
 * Escaping of text from elsewhere (error codes, messages, close reasons, tool names, addresses) for
 * each output format. Renderers pass all such text through exactly one of these functions.
 *
 * @module
 */

import { stripVTControlCharacters } from "node:util";

/** Replaces control characters, and those that hide or reverse text. */
const REPLACEMENT = "\uFFFD";

/** Characters shown of one text at most. */
const LONGEST = 2000;

/** C0 and C1 controls. */
// deno-lint-ignore no-control-regex
const CONTROLS = /[\u0000-\u001F\u007F-\u009F]/g;

/** Characters that are invisible, or change the direction of text. */
const INVISIBLE =
  /\u00AD|\u034F|\u061C|\u180E|[\u200B-\u200F]|[\u202A-\u202E]|[\u2060-\u206F]|\uFEFF|[\uFFF9-\uFFFB]|[\u{E0000}-\u{E007F}]|\uFFFE|\uFFFF/gu;

/** One line of visible text: white space is collapsed, other controls are replaced. */
function cleanLine(text: string): string {
  return text
    .replace(/[\s\u0085\u2028\u2029]+/g, " ")
    .slice(0, LONGEST)
    .replace(CONTROLS, REPLACEMENT)
    .replace(INVISIBLE, REPLACEMENT)
    .toWellFormed();
}

/** Characters with a meaning in markdown, HTML, MDX or a template. */
const MARKDOWN_ESCAPES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  "|": "&#124;",
  "\\": "&#92;",
  "`": "&#96;",
  "$": "&#36;",
  "{": "&#123;",
  "}": "&#125;",
  "*": "\\*",
  "[": "\\[",
  "]": "\\]",
  "~": "\\~",
  "#": "\\#",
  // With a zero-width space, because GitHub looks for mentions after rendering markdown.
  "@": "@&#8203;",
};

/** A dot before what some renderers take for a top-level domain, as in `0.ac`, and turn into a link. */
const DOMAIN_DOT =
  /\.(?=(?:[a-z]{2}|biz|com|edu|gov|net|org|pro|web|xxx|aero|asia|coop|info|museum|name|shop)(?![a-z0-9])|xn--|[\u0080-\u{10FFFF}])/giu;

/** Text for a paragraph, list item or table cell of markdown; never empty, never more than one line. */
export function escapeMarkdown(text: string): string {
  const escaped = cleanLine(text)
    .trim()
    .replace(/[&<>|\\`${}*[\]~#@]/g, (character) => MARKDOWN_ESCAPES[character])
    // An underscore inside a word has no meaning.
    .replace(/(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g, "\\_")
    // `https://…` and `:shortcodes:` of emoji, but not `17:10`.
    .replace(/:(?=[A-Za-z_+/-])|(?<!\d):(?=\d)/g, "&#58;")
    .replace(/www\./gi, (prefix) => `${prefix.slice(0, 3)}&#46;`)
    .replace(DOMAIN_DOT, "&#46;")
    // Anything that starts a list, a heading or a rule.
    .replace(/^([-+=])/, "\\$1")
    .replace(/^(\d+)([.)])(?= |$)/, "$1\\$2");
  return escaped === "" ? "(empty)" : escaped;
}

/** A name or value for markdown: as code if it needs no escaping there, else as escaped text. */
export function markdownCode(text: string): string {
  const plain = /^[\w .,:;=+\-/()[\]{}"'?!%#@*^~$]+$/.test(text);
  const template = /\{[{%#]/.test(text);
  return plain && !template && text.trim() === text ? `\`${text}\`` : escapeMarkdown(text);
}

const MARKUP_ESCAPES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text for an element or a quoted attribute of HTML or XML 1.0, on one line. */
export function escapeHtml(text: string): string {
  return cleanLine(text).replace(/[&<>"']/g, (character) => MARKUP_ESCAPES[character]);
}

/** Text for a terminal, on one line, without escape sequences and control characters. */
export function escapeTerminal(text: string): string {
  return cleanLine(stripVTControlCharacters(text)).replaceAll(REPLACEMENT, "");
}

/** Text for a workflow command of GitHub Actions, on one line. */
export function escapeCommandText(text: string): string {
  return escapeTerminal(text).replaceAll("%", "%25");
}

/** Text for a property of a workflow command. */
export function escapeCommandProperty(text: string): string {
  return escapeCommandText(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}

/** A kebab-case id or file name for any text, never empty. */
export function slug(text: string): string {
  const parts = text.toLowerCase().normalize("NFKD").match(/[a-z0-9]+/g) ?? [];
  return parts.join("-").slice(0, 48).replace(/-$/, "") || "unnamed";
}
