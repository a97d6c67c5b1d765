/**
 * File permissions and temporary folders of tests.
 *
 * @module
 */

const isDenied = (name: "read" | "write") =>
  Deno.permissions.querySync({ name }).state !== "granted";

/** True where files cannot be read, as in a bare `deno test`; such tests are ignored. */
export const NO_READ = isDenied("read");

/** True where files cannot be read and written; such tests are ignored. */
export const NO_FILES = NO_READ || isDenied("write");

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

/** Sorted names of the files and folders in a folder. */
export async function namesIn(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
}
