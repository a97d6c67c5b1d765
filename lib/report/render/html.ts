/**
 * A document as one HTML page that needs no network. Its script only marks the current section.
 *
 * @module
 */

import { createHash } from "node:crypto";
import type { Block, Card, Content, Document, Figure, Forms, Inline } from "../document.ts";
import type { MarkName, Section, Segment, Sparkline, Strip, Table } from "../document.ts";
import { formOf, inlines, isEmpty, sparkRange, textOf, written } from "../document.ts";
import { escapeHtml } from "../escape.ts";
import { formatPercent } from "../units.ts";
import pageScript from "./page.js" with { type: "text" };
import styleSheet from "./report.css" with { type: "text" };

const MARKS: Record<MarkName, [sign: string, words: string]> = {
  passed: ["✓", "passed"],
  failed: ["✕", "failed"],
  warning: ["!", "warning"],
  skipped: ["–", "not measured"],
  open: ["?", "open"],
  here: ["you are here", ""],
};

/**
 * The document as a page, byte for byte reproducible. Its Content-Security-Policy allows its own
 * style and script, by their hashes, and nothing else.
 */
export function renderHtml(document: Document): string {
  const styles = new Set([styleSheet]);
  const sections = document.sections.map(sectionHtml).join("\n")
    // The style sheets of the figures move to the page's.
    .replace(/<style>([\s\S]*?)<\/style>\n?/g, (_, rules: string) => {
      styles.add(rules);
      return "";
    });
  // Browsers hash both with LF line breaks, whatever the checkout has.
  const style = [...styles].join("\n").replaceAll("\r\n", "\n");
  const script = pageScript.replaceAll("\r\n", "\n");
  const allowed = `style-src '${sha256(style)}'; script-src '${sha256(script)}'`;
  const policy = `default-src 'none'; ${allowed}; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${escapeHtml(textOf(document.title))}</title>
<style>${style}</style>
</head>
<body>
<a class="skip" href="#content">Skip to the report</a>
${navigation(document)}
<main id="content" tabindex="-1">
<h1>${line(document.title)}</h1>
${sections}
</main>
<script type="module">${script}</script>
</body>
</html>
`;
}

function sha256(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}

function navigation({ sections }: Document): string {
  const links = sections.map(({ id, title, level, mark }) => {
    const text = title === "" ? "Summary" : line(title);
    const sign = mark === undefined || mark === "passed" ? "" : ` ${markHtml(mark)}`;
    return `<li class="level-${level}"><a href="#${id}">${text}</a>${sign}</li>`;
  });
  return `<nav aria-label="Sections"><ul class="plain">\n${links.join("\n")}\n</ul></nav>`;
}

function sectionHtml({ id, title, level, mark, blocks }: Section): string {
  const sign = mark === undefined ? "" : `${markHtml(mark)} `;
  const [label, heading] = title === ""
    ? [' aria-label="Summary"', ""]
    : ["", `<h${level}>${sign}${line(title)}</h${level}>\n`];
  const body = blocks.map((block) => blockHtml(block, title === "" ? 2 : level + 1));
  return `<section id="${id}" class="level-${level}"${label}>
${heading}${body.join("\n")}
</section>`;
}

function line(content: Content): string {
  return written(content, INLINES, (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;"));
}

/** Longer code can be broken over lines. */
const LONG_CODE = 30;

const INLINES: Forms<Exclude<Inline, string>, string> = {
  quantity: ({ text }) => `<span class="number">${escapeHtml(text)}</span>`,
  foreign: ({ text }) => escapeHtml(text),
  code: ({ text }) =>
    `<code${text.length > LONG_CODE ? ' class="long"' : ""}>${escapeHtml(text)}</code>`,
  strong: ({ content }) => `<strong>${line(content)}</strong>`,
  mark: ({ mark }) => markHtml(mark),
  link: ({ to, content }) => `<a href="#${escapeHtml(to)}">${line(content)}</a>`,
  sparkline: sparklineHtml,
  strip: stripHtml,
};

function markHtml(mark: MarkName): string {
  const [sign, words] = MARKS[mark];
  const label = words === "" ? "" : ` role="img" aria-label="${words}"`;
  return `<span class="mark ${mark}"${label}>${sign}</span>`;
}

function blockHtml(block: Block, level: number): string {
  return formOf<Block, string>({
    paragraph: ({ tone, content }) =>
      `<p${tone === undefined ? "" : ` class="${tone}"`}>${line(content)}</p>`,
    heading: ({ text }) => `<h${level} class="sub">${line(text)}</h${level}>`,
    list: ({ items, ordered }) => {
      const isMarked = items.map((item) => inlines(item)[0])
        .every((first) => typeof first === "object" && first.kind === "mark");
      const tag = ordered === true ? "ol" : "ul";
      return listHtml(items.map(line), isMarked ? "plain marked" : "", tag);
    },
    table: tableHtml,
    figure: ({ figure }) => figureHtml(figure),
    code: ({ text }) => `<pre><code>${text.split("\n").map(escapeHtml).join("\n")}</code></pre>`,
    cards: ({ cards }) => listHtml(cards.map(cardHtml), "plain cards"),
    bar: ({ label, segments }) => barHtml(label, segments),
    boxes: ({ boxes }) =>
      listHtml(boxes.map(({ name, strip }) => escapeHtml(name) + stripHtml(strip))),
    fold: ({ summary, blocks }) => {
      const body = blocks.map((one) => blockHtml(one, level)).join("\n");
      return `<details><summary>${line(summary)}</summary>\n${body}\n</details>`;
    },
  }, block);
}

function listHtml(items: readonly string[], name = "", tag = "ul"): string {
  const rows = items.map((item) => `<li>${item}</li>`).join("\n");
  return `<${tag}${name === "" ? "" : ` class="${name}"`}>\n${rows}\n</${tag}>`;
}

function region(label: string, name: string, content: string): string {
  const role = `role="region" aria-label="${escapeHtml(label)}" tabindex="0"`;
  return `<div class="${name}" ${role}>${content}</div>`;
}

function tableHtml({ caption, columns, rows }: Table): string {
  const sides = columns.map(({ align }) => align === "right" ? ' class="right"' : "");
  const heads = columns.map(({ title }, index) =>
    title === "" ? `<td${sides[index]}></td>` : `<th scope="col"${sides[index]}>${line(title)}</th>`
  );
  // On a phone each cell shows its column's title.
  const labels = columns.map(({ title }) =>
    title === "" ? "" : ` data-label="${escapeHtml(textOf(title))}"`
  );
  const body = rows.map((row) => {
    const cells = row.map((cell, at) => `<td${sides[at]}${labels[at]}>${line(cell)}</td>`);
    return `<tr>${cells.join("")}</tr>`;
  });
  const head = `<thead><tr>${heads.join("")}</tr></thead>`;
  const whole = `<table>\n${head}\n<tbody>\n${body.join("\n")}\n</tbody></table>`;
  return region(caption, "scroll", whole);
}

function figureHtml({ title, svg }: Figure): string {
  return `<figure>
<figcaption>${escapeHtml(title)}</figcaption>
${region(`Chart: ${title}`, "scroll picture", svg.trim())}
</figure>`;
}

function cardHtml({ title, value, mark, lines, plots }: Card): string {
  const sign = mark === null ? "" : ` ${markHtml(mark)}`;
  const shown = lines.filter((one) => !isEmpty(one));
  return `<b class="sub">${line(title)}${sign}</b>
<strong>${escapeHtml(value.text)}</strong>
${[...plots.map(line), ...shown.map((one) => `<span>${line(one)}</span>`)].join("\n")}`;
}

/** Colours of segments: one hue, so that segments stand out by their width only. */
const SHADES = ["#9aa4ae", "#c6ccd3", "#6f7d8b", "#b4d3f1", "#84b6e6", "#0b63b8", "#4c93d6"];

function barHtml(label: string, segments: readonly Segment[]): string {
  const total = segments.reduce((sum, { share }) => sum + share, 0);
  const percent = (share: number) => `${(share / total * 100).toFixed(2)}%`;
  const rect = (index: number, x: string, width: string) =>
    `<rect fill="${SHADES[index % SHADES.length]}" x="${x}" width="${width}" height="100%"/>`;
  let end = 0;
  const parts = segments.map(({ share }, index) =>
    rect(index, percent((end += share) - share), percent(share))
  );
  const items = segments.map(({ label, share }, index) => {
    const box = `<svg aria-hidden="true">${rect(index, "0", "100%")}</svg>`;
    return `${box}${line(label)} <strong>${formatPercent(share)}</strong>`;
  });
  return `<svg class="bar" role="img" aria-label="${label}">${parts.join("")}</svg>
${listHtml(items, "plain legend")}`;
}

function sparklineHtml({ values, outliers, label }: Sparkline): string {
  const [width, height, edge] = [96, HEIGHT, 3];
  const { low, high } = sparkRange(values);
  const x = (index: number) => edge + index / Math.max(1, values.length - 1) * (width - 2 * edge);
  const y = (value: number) => edge + (high - value) / (high - low) * (height - 2 * edge);
  const place = (index: number, value: number) => `${x(index).toFixed(1)},${y(value).toFixed(1)}`;
  const points = values.flatMap((value, index) => value === null ? [] : place(index, value));
  const dots = outliers.map((index) => {
    const [cx, cy] = place(index, values[index]!).split(",");
    return `<circle cx="${cx}" cy="${cy}" r="2.5"/>`;
  });
  return drawing(width, label, `<polyline points="${points.join(" ")}"/>${dots.join("")}`);
}

function stripHtml({ low, quarter, median, threeQuarters, high, label }: Strip): string {
  const width = 160;
  const [start, end] = [Math.log(Math.max(1, low)), Math.log(Math.max(2, high))];
  const x = (ns: number) =>
    1 + (Math.log(Math.max(1, ns)) - start) / Math.max(1e-9, end - start) * (width - 2);
  const wide = (x(threeQuarters) - x(quarter)).toFixed(1);
  const box = `<rect x="${x(quarter).toFixed(1)}" y="4" width="${wide}" height="12"/>`;
  const whiskers = `<path d="M1 10H${width - 1}M1 6V14M${width - 1} 6V14"/>`;
  const middle = `<path stroke-width="2.5" d="M${x(median).toFixed(1)} 3V17"/>`;
  return drawing(width, label, whiskers + box + middle);
}

/** The height of sparklines and strips in pixels. */
const HEIGHT = 20;

function drawing(width: number, label: string, body: string): string {
  return `<svg class="plot" viewBox="0 0 ${width} ${HEIGHT}" width="${width}" height="${HEIGHT}" ` +
    `role="img" aria-label="${escapeHtml(label)}"><title>${escapeHtml(label)}</title>${body}</svg>`;
}
