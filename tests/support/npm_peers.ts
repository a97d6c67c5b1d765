/**
 * Other people's servers from npm, installed once for the tests alone.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { NEEDS_PROCESSES } from "./run_cli.ts";

/** What is installed, in these versions. */
export const NPM_PEERS = {
  "ws": "8.23.0",
  "supergateway": "4.0.0",
  "@modelcontextprotocol/server-everything": "2026.8.31",
};

/** Where something is installed, or why it is not. */
export type Found = { folder: string; missing: null } | { folder: null; missing: string };

/** Where tools keep what can be made again; ignored by git, and by Deno's own tools. */
const CACHE = fileURLToPath(new URL("../../node_modules/.cache/exai-ws-bench", import.meta.url));
const INSTALL_MS = 180_000;

/** Installs them, or finds them installed. Never throws: a machine without npm or a network lacks them. */
export async function findNpmPeers(): Promise<Found> {
  if (NEEDS_PROCESSES) return lacking("needs permissions");
  if (Deno.build.os === "windows") return lacking("not tried on Windows");
  const packages = Object.entries(NPM_PEERS).map(([name, version]) => `${name}@${version}`);
  const folder = `${CACHE}/${packages.join("+").replaceAll("/", "-")}`;
  if (await exists(folder)) return { folder, missing: null };
  try {
    await Deno.mkdir(CACHE, { recursive: true });
    await install(packages, folder);
    return { folder, missing: null };
  } catch (error) {
    return lacking(error instanceof Error ? error.message : String(error));
  }
}

/** Installs beside the place and moves it there when it is whole, as others may do the same now. */
async function install(packages: readonly string[], folder: string): Promise<void> {
  const part = await Deno.makeTempDir({ dir: CACHE, prefix: "part-" });
  try {
    await Deno.writeTextFile(`${part}/package.json`, '{ "private": true }');
    const { success, stderr } = await new Deno.Command("npm", {
      args: [
        ...["install", "--prefix", part, "--prefer-offline", "--ignore-scripts"],
        ...["--no-audit", "--no-fund", "--loglevel=error"],
        // Without a network it should say so soon.
        ...["--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000"],
        ...packages,
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

function lacking(missing: string): Found {
  return { folder: null, missing };
}

/** Options of a test that needs something: ignored where it is not found, which its name then says. */
export function testWith(name: string, missing: string | null): { name: string; ignore: boolean } {
  return {
    name: missing === null ? name : `${name} [skipped: ${missing}]`,
    ignore: missing !== null,
  };
}
