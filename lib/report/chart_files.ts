/**
 * The folder of the charts: which files in it are ours, and which of ours are of an earlier run.
 *
 * @module
 */

import { chartSignature } from "./charts/svg.ts";

/** The folder of the charts, beside report.md. */
export const CHARTS_FOLDER = "charts";

/**
 * Removes the charts that an earlier run left in a folder, except those called `kept`. A file is ours if it
 * begins as a chart of its name does; anything else stays, whatever it is called.
 */
export async function removeStaleCharts(folder: string, kept: readonly string[]): Promise<void> {
  for (const name of await svgNames(folder)) {
    const path = `${folder}/${name}.svg`;
    if (!kept.includes(name) && await isOurs(path, name)) await Deno.remove(path);
  }
}

/** The names of the files ending in `.svg`; none where there is no such folder. */
async function svgNames(folder: string): Promise<string[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(folder));
    return entries.flatMap(({ name, isFile }) =>
      isFile && name.endsWith(".svg") ? [name.slice(0, -".svg".length)] : []
    ).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return [];
    }
    throw error;
  }
}

async function isOurs(path: string, name: string): Promise<boolean> {
  const signature = new TextEncoder().encode(chartSignature(name));
  using file = await Deno.open(path);
  const start = new Uint8Array(signature.length);
  let length = 0;
  while (length < start.length) {
    const read = await file.read(start.subarray(length));
    if (read === null) return false;
    length += read;
  }
  return start.every((byte, index) => byte === signature[index]);
}
