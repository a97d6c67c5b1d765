/**
 * The page's own Content-Security-Policy.
 *
 * @module
 */

import { createHash } from "node:crypto";

/** Allows one inline style and one inline script, by their hashes, and nothing else at all. */
export function contentPolicy({ style, script }: { style: string; script: string }): string {
  return [
    "default-src 'none'",
    `style-src '${sha256(style)}'`,
    `script-src '${sha256(script)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}

function sha256(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}
