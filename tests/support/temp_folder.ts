/**
 * Temporary folders for tests that read and write files.
 *
 * @module
 */

/** True where files cannot be read and written, as in a bare `deno test`; such tests are ignored. */
export const NO_FILES = (["read", "write"] as const).some((name) =>
  Deno.permissions.querySync({ name }).state !== "granted"
);

/** A folder that is removed when disposed of. */
export interface TempFolder extends AsyncDisposable {
  readonly path: string;
}

/** Makes a folder with these files: text by name. */
export async function makeTempFolder(files: Record<string, string> = {}): Promise<TempFolder> {
  const path = await Deno.realPath(await Deno.makeTempDir());
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${path}/${name}`, text);
  }
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}
