/**
 * Third-party servers from npm, installed once, for tests only.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { NEEDS_PROCESSES } from "./run_cli.ts";

const PACKAGES = [
  "ws@8.23.0",
  "supergateway@4.0.0",
  "@modelcontextprotocol/server-everything@2026.8.31",
];

/** Where the packages are installed, or why they are not. */
export type Found = { folder: string; missing: null } | { folder: null; missing: string };

/** A cache folder that git and Deno's tools ignore. */
const CACHE = fileURLToPath(new URL("../../node_modules/.cache/exai-ws-bench", import.meta.url));
const INSTALL_MS = 180_000;

/** Finds or installs the packages. Never throws: without npm or a network they are missing. */
export async function findNpmPeers(): Promise<Found> {
  const missing = (why: string): Found => ({ folder: null, missing: why });
  if (NEEDS_PROCESSES) return missing("needs permissions");
  if (Deno.build.os === "windows") return missing("not tried on Windows");
  const folder = `${CACHE}/${PACKAGES.join("+").replaceAll("/", "-")}`;
  if (await exists(folder)) return { folder, missing: null };
  try {
    await Deno.mkdir(CACHE, { recursive: true });
    await install(folder);
    return { folder, missing: null };
  } catch (error) {
    return missing(error instanceof Error ? error.message : String(error));
  }
}

/** Installs to a temporary folder and renames it, because other tests could be installing too. */
async function install(folder: string): Promise<void> {
  const part = await Deno.makeTempDir({ dir: CACHE, prefix: "part-" });
  try {
    await Deno.writeTextFile(`${part}/package.json`, '{ "private": true }');
    const { success, stderr } = await new Deno.Command("npm", {
      args: [
        ...["install", "--prefix", part, "--prefer-offline", "--ignore-scripts"],
        ...["--no-audit", "--no-fund", "--loglevel=error"],
        // Fail soon without a network.
        ...["--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000"],
        ...PACKAGES,
      ],
      cwd: part,
      stdin: "null",
      signal: AbortSignal.timeout(INSTALL_MS),
    }).output();
    if (!success) throw new Error(`npm: ${firstLine(new TextDecoder().decode(stderr))}`);
    await Deno.rename(part, folder).catch(async (error) => {
      if (!await exists(folder)) throw error;
    });
  } finally {
    await Deno.remove(part, { recursive: true }).catch(() => {});
  }
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0].replace(/^npm (error|ERR!) /, "") || "it failed";
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

/** Options of a test that is ignored if something is missing, which its name then says. */
export function testWith(name: string, missing: string | null): { name: string; ignore: boolean } {
  return {
    name: missing === null ? name : `${name} [skipped: ${missing}]`,
    ignore: missing !== null,
  };
}
