/**
 * Makes of what the drawing library gives a picture that is the same for the same data, can stand beside
 * others in one page, and has neither script nor style that a strict page would refuse.
 *
 * @module
 */

import { escapeXml } from "../escape.ts";
import { CHART_CLASS, CHART_STYLE, COLORS } from "./theme.ts";

const FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";

/** What the picture is called, in the file and outside it. */
export interface SvgLabels {
  /** Unique among the charts of a page. */
  name: string;
  alt: string;
}

/** The beginning of every chart called `name`: what a file must have to be one of ours. */
export function chartSignature(name: string): string {
  return `<svg class="${CHART_CLASS}" id="chart-${name}"`;
}

/** Cleans the text of an SVG by echarts. */
export function cleanSvg(drawn: string, { name, alt }: SvgLabels): string {
  const body = drawn
    .replace(/<style >[\s\S]*?<\/style>\n?/, "")
    .replace(/<rect [^>]*fill="none"><\/rect>\n/, "")
    .replaceAll(/ (?:class="zr\d+-cls-\d+"|pointer-events="visible"|ecmeta_\w+="[^"]*")/g, "")
    .replaceAll(/ style="([^"]*)"/g, (_, style: string) => presentation(style))
    // Ids count up from one chart to the next.
    .replaceAll(/(["#])zr\d+-c(\d+)/g, `$1chart-${name}-$2`)
    .split("\n")
    .filter((line) => !isInvisible(line))
    .map(shorten)
    .join("\n");
  const [open] = body.match(/^<svg [^>]*>/) ?? [];
  const [, width, height] = /width="(\d+)" height="(\d+)"/.exec(open ?? "") ?? [];
  if (open === undefined || width === undefined) {
    throw new Error(`Cannot read the picture ${name} as it does not begin with a sized <svg>`);
  }
  const root = `${chartSignature(name)} xmlns="http://www.w3.org/2000/svg" width="${width}" ` +
    `height="${height}" viewBox="0 0 ${width} ${height}" role="img" ` +
    `aria-label="${escapeXml(alt)}" font-family="${FONTS}">`;
  const page = `<rect width="${width}" height="${height}" fill="${COLORS.background}"/>`;
  return [root, `<style>${CHART_STYLE}</style>`, page, body.slice(open.length).trim(), ""].join(
    "\n",
  );
}

/** Declarations as attributes: a page may forbid inline styles. */
function presentation(style: string): string {
  return style.split(";").flatMap((declaration) => {
    const [property, value] = declaration.split(":");
    return !property || !value || property === "font-family" ? [] : [` ${property}="${value}"`];
  }).join("");
}

/** Shapes without fill and stroke, which are there to be pointed at. */
function isInvisible(line: string): boolean {
  const unfilled = line.includes('fill="none"') || line.includes('fill-opacity="0"');
  const unstroked = !line.includes(' stroke="') || line.includes('stroke-width="0"');
  return line === "" || (line.startsWith("<path ") && unfilled && unstroked);
}

/** `<path …></path>` is `<path …/>`, and the line of a legend has no inside. */
function shorten(line: string): string {
  const unfilled = line.includes(' stroke="') ? line.replace(' fill="#000"', ' fill="none"') : line;
  return unfilled.replace(/><\/(?:path|rect|polygon)>/, "/>");
}
